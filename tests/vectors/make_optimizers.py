"""Writes optimizers.h: what torch.optim and torch.optim.lr_scheduler make of fixed gradients and lengths, in float64.

    python3 tests/vectors/make_optimizers.py > tests/vectors/optimizers.h
"""
import torch

STEPS = 8
WEIGHTS = [0.5, -1.25, 2.0, 0.0, -0.003, 30.0]
# Entry 3 never has a gradient; entry 4's are tiny, entry 5's large.
GRADIENTS = [[0.4 * (-1) ** t, 0.3 + 0.1 * t, -0.02 * t * t, 0.0, 1e-7 * (t - 3), 250.0 / (t + 1)] for t in range(STEPS)]
RATES = [0.1, 0.1, 0.05, 0.025, 0.025, 0.2, 0.01, 0.01]

CASES = [  # knack's settings, and the same for PyTorch
    (".type = OPTIMIZER_SGD", torch.optim.SGD, {}),
    (".type = OPTIMIZER_SGD, .weight_decay = 0.1", torch.optim.SGD, dict(weight_decay=0.1)),
    (".type = OPTIMIZER_SGD, .momentum = 0.9", torch.optim.SGD, dict(momentum=0.9)),
    (".type = OPTIMIZER_SGD, .momentum = 0.8, .weight_decay = 0.1", torch.optim.SGD, dict(momentum=0.8, weight_decay=0.1)),
    (".type = OPTIMIZER_SGD, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true", torch.optim.SGD,
     dict(momentum=0.9, weight_decay=0.1, nesterov=True)),
    (".type = OPTIMIZER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8", torch.optim.Adam, {}),
    (".type = OPTIMIZER_ADAM, .beta1 = 0.5, .beta2 = 0.9, .epsilon = 1e-3, .weight_decay = 0.1", torch.optim.Adam,
     dict(betas=(0.5, 0.9), eps=1e-3, weight_decay=0.1)),
    (".type = OPTIMIZER_ADAMW, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.01", torch.optim.AdamW, {}),
    (".type = OPTIMIZER_ADAMW, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-6, .weight_decay = 0.3", torch.optim.AdamW,
     dict(betas=(0.8, 0.95), eps=1e-6, weight_decay=0.3)),
]


def trajectory(kind, options):
    """Weights after each step, [STEPS][entries]."""
    weights = torch.tensor(WEIGHTS, dtype=torch.float64, requires_grad=True)
    optimizer = kind([weights], lr=1.0, **options)
    after = []
    for gradient, rate in zip(GRADIENTS, RATES):
        optimizer.param_groups[0]["lr"] = rate
        weights.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        after.append(weights.tolist())
    return after


def rates(make, updates):
    """The rate of each update under a scheduler."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    used = []
    for _ in range(updates):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return used


def numbers(values):
    return "{" + ", ".join(f"{value:.17g}" for value in values) + "}"


def table(rows):
    return "{" + ",\n     ".join(numbers(row) for row in rows) + "}"


def main():
    entries = len(WEIGHTS)
    print("/* Made by make_optimizers.py with PyTorch " + torch.__version__.split("+")[0] + ", float64. */")
    print(f"enum {{ VECTOR_STEPS = {STEPS}, VECTOR_ENTRIES = {entries}, SCHEDULE_UPDATES = 20 }};")
    print("/* clang-format off */")
    print(f"static const double vector_weights[VECTOR_ENTRIES] = {numbers(WEIGHTS)};")
    print(f"static const double vector_rates[VECTOR_STEPS] = {numbers(RATES)};")
    print(f"static const double vector_gradients[VECTOR_STEPS][VECTOR_ENTRIES] =\n    {table(GRADIENTS)};")
    print("static const struct optimizer_vector {\n    struct optimizer_settings settings;")
    print("    double after[VECTOR_STEPS][VECTOR_ENTRIES];\n} optimizer_vectors[] = {")
    for settings, kind, options in CASES:
        print(f"    {{{{{settings}}},\n     {table(trajectory(kind, options))}}},")
    print("};")
    schedulers = [
        ("cosine", lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=20, eta_min=0.1)),
        ("linear", lambda o: torch.optim.lr_scheduler.LinearLR(o, start_factor=1.0, end_factor=0.1, total_iters=20)),
        ("step", lambda o: torch.optim.lr_scheduler.MultiStepLR(o, milestones=[10, 15], gamma=0.1)),
        ("one_cycle", lambda o: torch.optim.lr_scheduler.OneCycleLR(o, max_lr=1.0, total_steps=21, pct_start=0.3)),
    ]
    for name, make in schedulers:
        print(f"static const double {name}_rates[SCHEDULE_UPDATES] =\n    {numbers(rates(make, 20))};")
    print("/* clang-format on */")


main()
