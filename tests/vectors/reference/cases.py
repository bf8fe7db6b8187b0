"""The cases: configs that knack trains too, in families. Each is of at least 50 steps; most end epochs with a shorter batch."""


def case(*plugins, data={}, model={}, train={}, optimizer={}):
    data = {"shuffle": False, **data}
    return {
        "data": data if "idx" in data or "npy" in data else {"source": "digits", **data},
        "model": model if "layers" in model else {"type": "mlp", "hidden": [64, 64], **model},
        "train": {"epochs": 2, "batch": 32, "log_every": 1, **train,
                  "optimizer": {"type": "sgd", "lr": 0.05, "momentum": 0.9, **optimizer}},
        "plugins": list(plugins),
    }


def plugin(name, instance=None, **options):
    return {"name": name, **({"as": instance} if instance else {}), **options}


DROPOUT = {"dropout": 0.2}
MICRO = {"micro_batch": 10}
TWO_CLASSES = {"positive": [8]}
STRIPES = {"idx": {"inputs": "images.idx", "targets": "labels.idx"}}
NUMBERS = {"npy": {"inputs": "inputs.npy", "targets": "targets.npy"}, "task": "regression"}
TEXTS = {"idx": {"inputs": "tokens.idx", "targets": "classes.idx"}, "divide": 1, "validation": 40}
SMALL = {"epochs": 6, "batch": 17}  # of 180 examples: 66 steps
CNN = {"type": "cnn", "channels": [3, 4], "hidden": [12]}
NORMED = {"type": "layers", "layers": [
    {"type": "flatten"}, {"type": "linear", "size": 24, "bias": False}, {"type": "batch-norm"}, {"type": "relu"},
    {"type": "dropout", "rate": 0.2}, {"type": "linear", "size": 16}, {"type": "relu"}]}
EPOCHS = {"epochs": 5, "batch": 120}  # of 1,437 examples: 12 steps an epoch; of 1,200: 10
SHIFTED = {"augment": [{"name": "shift", "pixels": 1}]}
VIEWS = ["shift 1 0", "shift 0 -1"]

LOSSES = {
    "nothing": case(),
    "dropout, shuffled": case(data={"shuffle": True}, model=DROPOUT),
    "rdrop": case(plugin("rdrop", alpha=1), model=DROPOUT),
    "rdrop, strong, micro-batches": case(plugin("rdrop", alpha=5), model=DROPOUT, train=MICRO),
    "rdrop of a regression": case(plugin("rdrop", alpha=2), data=NUMBERS, model={**DROPOUT, "hidden": [16, 16]}, train=SMALL),
    "rdrop, smoothed, mixed": case(plugin("label-smoothing", eps=0.1), plugin("rdrop", alpha=1), plugin("mixup", alpha=1), model=DROPOUT),
    "focal": case(plugin("focal", gamma=2)),
    "focal, small gamma, alpha of each class": case(
        plugin("focal", gamma=0.5, alpha=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1])),
    "focal of two classes": case(plugin("focal", gamma=2, alpha=[0.25]), data=TWO_CLASSES),
    "focal, balanced": case(plugin("focal", gamma=1, balanced=True), data=TWO_CLASSES),
    "focal, mixed": case(plugin("focal", gamma=2), plugin("mixup", alpha=1)),
    "smoothed": case(plugin("label-smoothing", eps=0.1)),
    "smoothed, mixed": case(plugin("label-smoothing", eps=0.2), plugin("mixup", alpha=1, mode="row")),
    "smoothed focal": case(plugin("label-smoothing", eps=0.1), plugin("focal", gamma=1.5)),
    "clipped": case(plugin("grad-clip", max_norm=1.8), optimizer={"weight_decay": 0.001}),
    "clipped by value": case(plugin("grad-clip", max_norm=0.005, mode="value")),
}

MIXING = {
    "mixup": case(plugin("mixup", alpha=0.4)),
    "mixup, each row": case(plugin("mixup", alpha=1, mode="row")),
    "mixup of a layer, each row": case(plugin("mixup", alpha=2, layer="fc1", mode="row")),
    "mixup of any layer, then none": case(plugin("mixup", alpha=2, layer=["input", "fc1", "fc2"], until=60)),
    "mixup, micro-batches": case(plugin("mixup", alpha=0.4, layer="fc2"), model=DROPOUT, train=MICRO),
    "mixup of a block": case(plugin("mixup", alpha=1, layer="block1"), model=CNN),
    "one of two mixups": case(plugin("mixup", alpha=0.4, share=3), plugin("mixup", "deep", alpha=2, layer="fc2")),
    "cutmix": case(plugin("cutmix", alpha=1), model=CNN),
    "cutmix now and then, then never": case(plugin("cutmix", alpha=0.5, prob=0.6, until=70)),
    "cutmix of odd sizes": case(plugin("cutmix", alpha=1), data=STRIPES, model={"hidden": [16]}, train=SMALL),
    "cutmix, micro-batches": case(plugin("cutmix", alpha=1), model=DROPOUT, train=MICRO),
    "cutmix or mixup": case(plugin("cutmix", alpha=1, share=2), plugin("mixup", alpha=0.4)),
}

HEADS = {
    "arcface": case(plugin("arcface", s=16, m=0.5)),
    "arcface, wide margin": case(plugin("arcface", s=8, m=1.4)),
    "arcface, three centres": case(plugin("arcface", s=8, m=0.5, centres=3)),
    "arcface, easy margin": case(plugin("arcface", s=16, m=0.3, easy_margin=True)),
    "cosface": case(plugin("cosface", s=16, m=0.35)),
    "cosface, two centres": case(plugin("cosface", s=10, m=0.2, centres=2)),
    "cosface, smoothed, cut": case(plugin("label-smoothing", eps=0.1), plugin("cutmix", alpha=1), plugin("cosface", s=8, m=0.3)),
    "cosface, focal, agreeing": case(
        plugin("rdrop", alpha=1), plugin("mixup", alpha=1), plugin("focal", gamma=1), plugin("cosface", s=8, m=0.3), model=DROPOUT),
    "sphereface": case(plugin("sphereface", m=4, lambda_base=400, lambda_gamma=0.3, lambda_min=20)),
    "sphereface, steep, two centres": case(
        plugin("sphereface", m=3, centres=2, lambda_base=1000, lambda_gamma=0.12, lambda_power=2, lambda_min=5), optimizer={"lr": 0.01}),
    "sphereface, mixed": case(plugin("sphereface", m=2, lambda_base=100, lambda_gamma=0.5, lambda_min=4), plugin("mixup", alpha=1)),
}

ATTACKS = {
    "fgm of a matrix": case(plugin("fgm", parameters="fc1.weight", epsilon=0.5, norm="tensor")),
    "fgm of the rows of all matrices": case(plugin("fgm", parameters="*.weight", epsilon=0.05, norm="row", coefficient=0.5)),
    "fgm of a layer, each example": case(plugin("fgm", layer="fc1", epsilon=0.5, norm="example")),
    "fgm of a layer, one norm": case(plugin("fgm", layer="fc2", epsilon=2, norm="tensor")),
    "fgm of the input": case(plugin("fgm", layer="input", epsilon=0.3)),
    "fgm, masks drawn once": case(plugin("fgm", layer="input", epsilon=0.3), model=DROPOUT),
    "fgm, masks drawn twice": case(plugin("fgm", layer="fc1", epsilon=0.3, redraw=True), model=DROPOUT),
    "fgm, micro-batches": case(plugin("fgm", layer="fc1", epsilon=0.3), model=DROPOUT, train=MICRO),
    "pgd of matrices": case(plugin("pgd", parameters="fc*.weight", epsilon=0.4, alpha=0.2, steps=3)),
    "pgd of the rows of a matrix": case(
        plugin("pgd", parameters="fc1.weight", epsilon=0.1, alpha=0.06, steps=2, norm="row", coefficient=0.6)),
    "pgd of the input": case(plugin("pgd", layer="input", epsilon=0.5, alpha=0.3, steps=3, coefficient=0.7)),
    "pgd of a layer, one norm": case(plugin("pgd", layer="fc2", epsilon=2, alpha=1.5, steps=2, norm="tensor")),
    "pgd of a block": case(plugin("pgd", layer="block1", epsilon=0.15, alpha=0.1, steps=2, norm="row"), model=CNN),
    "pgd, masks drawn anew, micro-batches": case(
        plugin("pgd", layer="fc1", epsilon=0.3, alpha=0.2, steps=2, redraw=True), model=DROPOUT, train=MICRO),
    "freelb": case(plugin("freelb", layer="input", adv_lr=0.2, steps=3, init_mag=0.3, max_norm=0.4)),
    "freelb, largest entry": case(
        plugin("freelb", layer="fc1", adv_lr=0.1, steps=3, init_mag=0.1, max_norm=0.15, norm_type="linf"), model=DROPOUT),
    "freelb, padding, no bound": case(
        plugin("freelb", layer="input", adv_lr=0.3, steps=2, init_mag=1, max_norm=0, padding="zeros"), train=MICRO),
    "awp": case(plugin("awp", gamma=0.02)),
    "awp, added": case(plugin("awp", gamma=0.03, replace=False, start_epoch=1, parameters="fc*"), model=DROPOUT),
    "awp of a cnn, all axes": case(plugin("awp", gamma=0.02, min_ndim=4), model=CNN),
    "sam": case(plugin("sam", rho=0.1), model=DROPOUT),
    "sam of a cnn": case(plugin("sam", rho=0.1), model=CNN),
    "sam, adaptive": case(plugin("sam", rho=0.8, adaptive=True)),
    "sam now and then": case(plugin("sam", rho=0.3, interval=3)),
    "sam around fgm": case(plugin("sam", rho=0.05), plugin("fgm", layer="input", epsilon=0.3)),
    "fgm around sam": case(plugin("fgm", layer="fc1", epsilon=0.3), plugin("sam", rho=0.05)),
    "awp around pgd": case(plugin("awp", gamma=0.01), plugin("pgd", layer="input", epsilon=0.4, alpha=0.2, steps=2)),
}

AVERAGES = {
    "ema": case(
        plugin("ema", "steady", decay=0.9, warmup="none"), plugin("ema", "tf", decay=0.95, warmup="tf"),
        plugin("ema", "power", decay=0.93, warmup="power"), plugin("ema", "debias", decay=0.99, warmup="debias"),
        plugin("ema", "late", half_life=12, warmup="none", start=20, every=3)),
    "ema of statistics": case(
        plugin("ema", "latest", decay=0.9, buffers="copy"), plugin("ema", "average", decay=0.9, buffers="average"),
        plugin("ema", "estimated", decay=0.9, buffers="reestimate"),
        plugin("ema", "late", decay=0.95, warmup="debias", buffers="average"), data={"validation": 237}, model=CNN, train=EPOCHS),
    "swa": case(plugin("swa", start=24, every=12, lr=0.01, anneal_epochs=24), model=CNN, train=EPOCHS),
    "swa, linear, between epochs": case(
        plugin("swa", start=15, every=7, lr=0.02, anneal="linear", anneal_epochs=20), data={"validation": 237}, model=NORMED, train=EPOCHS),
    "swa at once, under a cosine": case(
        plugin("swa", start=20, every=10, lr=0.03, anneal_epochs=0), data={"validation": 237}, model=NORMED,
        train={**EPOCHS, "schedule": {"type": "cosine"}}),
    "swa at the schedule's rate": case(plugin("swa", start=30, every=12), train={**EPOCHS, "schedule": {"type": "cosine"}}, model=CNN),
    "mean of checkpoints": case(
        plugin("checkpoint-average", count=3, every=12), plugin("checkpoint-average", "all", count=9, every=10), model=CNN, train=EPOCHS),
    "one checkpoint": case(plugin("checkpoint-average", count=1, every=25), model=NORMED, train=EPOCHS),
    "snapshots": case(plugin("snapshot-ensemble", count=3, every=10), data={"validation": 237}, model=CNN, train=EPOCHS),
    "snapshots of cycles": case(plugin("snapshot-ensemble", count=4, every=20, cyclic=True), model=NORMED, train=EPOCHS),
    "views": case(
        plugin("tta", views=VIEWS), plugin("ema", decay=0.9), data={**SHIFTED, "validation": 237}, model=CNN, train=EPOCHS),
    "views, weighted": case(plugin("tta", views=[*VIEWS, "identity"], weights=[1, 2, 3]), data=SHIFTED, train=EPOCHS),
    "views, geometric": case(plugin("tta", views=VIEWS, merge="gmean", weights=[3, 1, 2]), data=SHIFTED, train=EPOCHS),
    "views, greatest": case(plugin("tta", views=["flip", *VIEWS], identity=False, merge="max"), data=SHIFTED, train=EPOCHS),
    "views, logits": case(plugin("tta", views=["flip", "shift -1 1"], merge="logit"), plugin("cosface", s=8, m=0.2), train=EPOCHS),
    "views of snapshots": case(
        plugin("tta", views=VIEWS, merge="gmean"), plugin("snapshot-ensemble", count=3, every=12), data=SHIFTED, model=CNN, train=EPOCHS),
}

TOGETHER = {
    "ema, mixup, arcface": case(plugin("ema", decay=0.95), plugin("mixup", alpha=0.4), plugin("arcface", s=16, m=0.5)),
    "ema, fgm, mixup, arcface": case(
        plugin("ema", decay=0.95, warmup="debias"), plugin("fgm", layer="fc1", epsilon=0.3),
        plugin("mixup", alpha=1, layer=["input", "fc1"], mode="row"), plugin("arcface", s=8, m=0.3, centres=2),
        model=DROPOUT, train={"micro_batch": 8}),
    "swa, sam, cutmix, cosface, clipped": case(
        plugin("swa", start=24, every=12, lr=0.02, anneal_epochs=12), plugin("sam", rho=0.05), plugin("cutmix", alpha=1),
        plugin("cosface", s=8, m=0.2), plugin("label-smoothing", eps=0.05), plugin("grad-clip", max_norm=0.5),
        data={"validation": 237}, model=CNN, train=EPOCHS),
    "rdrop under attack, averaged": case(
        plugin("pgd", layer="fc1", epsilon=0.3, alpha=0.2, steps=2), plugin("rdrop", alpha=1), plugin("focal", gamma=1),
        plugin("grad-clip", max_norm=1), plugin("checkpoint-average", count=2, every=20), model=DROPOUT),
}

ENCODER = {"type": "encoder", "vocabulary": 32, "padding": 0, "layers": 2, "width": 12, "heads": 3, "feedforward": 20, "dropout": 0.2}
PRE_NORM = {**ENCODER, "heads": 2, "norm": "pre", "pooling": "mean"}


def texts(*plugins, model=ENCODER, train={}):
    return case(*plugins, data=TEXTS, model=model, train={**SMALL, **train}, optimizer={"lr": 0.05})


TOKENS = {
    "encoder": texts(model={**ENCODER, "dropout": 0}),
    "encoder, dropout, micro-batches": texts(train=MICRO),
    "encoder, pre-norm, mean": texts(model=PRE_NORM),
    "encoder, pre-norm, all ids are tokens": texts(model={**PRE_NORM, "padding": -1, "pooling": "cls"}),
    "fgm of the table": texts(plugin("fgm", parameters="embedding.weight", epsilon=0.1, norm="tensor")),
    "fgm of all matrices, pre-norm": texts(plugin("fgm", parameters="*.weight", epsilon=0.01, coefficient=0.5), model=PRE_NORM),
    "fgm of embeddings, each example": texts(plugin("fgm", layer="embedding", epsilon=0.05)),
    "fgm of embeddings, pre-norm": texts(plugin("fgm", layer="embedding", epsilon=0.05, redraw=True), model=PRE_NORM, train=MICRO),
    "pgd of each token": texts(plugin("pgd", layer="layer1", epsilon=0.3, alpha=0.2, steps=2, norm="row")),
    "freelb of embeddings": texts(
        plugin("freelb", layer="embedding", adv_lr=0.03, steps=2, init_mag=0.02, max_norm=0.05, padding="zeros"), model=PRE_NORM),
    "mixup of embeddings, each row": texts(plugin("mixup", alpha=1, layer="embedding", mode="row")),
    "rdrop, a head with centres": texts(plugin("rdrop", alpha=1), plugin("arcface", s=8, m=0.3, centres=2), model=PRE_NORM),
}

FAMILIES = {"losses": LOSSES, "mixing": MIXING, "heads": HEADS, "attacks": ATTACKS, "averages": AVERAGES, "together": TOGETHER, "tokens": TOKENS}
for cases in FAMILIES.values():
    for index, config in enumerate(cases.values()):
        config["seed"] = 100 + index
