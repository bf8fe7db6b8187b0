/* Reads "train". One table of fields for each type of optimizer and schedule, so that a setting of another type is refused by name. */
#include "train/settings.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* What an object holds beside plain values: nodes that are read further. */
struct optimizer_object {
    struct optimizer_settings settings;
    const struct json *groups;
};
struct schedule_object {
    struct schedule_settings settings;
    const struct json *milestones;
};
struct train_object {
    struct train_settings settings;
    const struct json *optimizer, *schedule, *class_weights, *checkpoint_every;
};

/* ---- Tables ---- */

#define OPTIMIZER(member) offsetof(struct optimizer_object, member)
#define SCHEDULE(member)  offsetof(struct schedule_object, member)
#define TRAIN(member)     offsetof(struct train_object, member)

static const char *const optimizer_names[] = {"sgd", "adam", "adamw", NULL};
static const char *const schedule_names[] = {"constant", "linear", "cosine", "step", "one-cycle", NULL};
static const char *const compute_names[] = {"f32", "bf16", NULL};
static const char *const loss_names[] = {"cross-entropy", "squared", "absolute", NULL};
static const struct json_field optimizer_type_field = {"type", JSON_CHOICE, 0, NULL, NULL, optimizer_names, "update rule"};
static const struct json_field schedule_type_field = {"type", JSON_CHOICE, 0, NULL, NULL, schedule_names, "shape"};

static const char *const only_sgd[] = {"sgd", NULL}, *const only_adam[] = {"adam", NULL}, *const only_adamw[] = {"adamw", NULL};
static const char *const only_constant[] = {"constant", NULL}, *const only_linear[] = {"linear", NULL},
                         *const only_cosine[] = {"cosine", NULL};
static const char *const only_step[] = {"step", NULL}, *const only_one_cycle[] = {"one-cycle", NULL};

#define TYPE(object, fallback, only) "type", JSON_CHOICE, object(settings.type), fallback, NULL, only, "which one"

#define LR(fallback)          "lr", JSON_DOUBLE, OPTIMIZER(settings.lr), fallback, "(0,inf)", NULL, "learning rate"
#define MOMENTUM              "momentum", JSON_DOUBLE, OPTIMIZER(settings.momentum), "0.9", "[0,1)", NULL, "decay of the sum of gradients"
#define NESTEROV              "nesterov", JSON_BOOLEAN, OPTIMIZER(settings.nesterov), "false", NULL, NULL, "look ahead along the momentum"
#define BETA1                 "beta1", JSON_DOUBLE, OPTIMIZER(settings.beta1), "0.9", "[0,1)", NULL, "decay of the mean of gradients"
#define BETA2                 "beta2", JSON_DOUBLE, OPTIMIZER(settings.beta2), "0.999", "[0,1)", NULL, "decay of the mean of their squares"
#define EPSILON               "epsilon", JSON_DOUBLE, OPTIMIZER(settings.epsilon), "1e-8", "(0,inf)", NULL, "added to the root of the latter"
#define DECAY(fallback, help) "weight_decay", JSON_DOUBLE, OPTIMIZER(settings.weight_decay), fallback, "[0,inf)", NULL, help
#define DECAY_ALL             "decay_all", JSON_BOOLEAN, OPTIMIZER(settings.decay_all), "false", NULL, NULL, "biases and norms too, else spared"
#define GROUPS                "groups", JSON_ANY, OPTIMIZER(groups), "", NULL, NULL, groups_help
#define L2_HELP               "L2: so much of a weight is added to its gradient"
#define DECOUPLED_HELP        "times lr: the share of a weight that an update takes away"

static const char groups_help[] =
    "list of { parameters, lr_scale, weight_decay }; the first whose pattern matches a parameter holds for it";

static const struct json_field sgd_fields[] = {
    {TYPE(OPTIMIZER, NULL, only_sgd)}, {LR("0.05")}, {MOMENTUM}, {NESTEROV}, {DECAY("0", L2_HELP)}, {DECAY_ALL}, {GROUPS}, {NULL},
};
static const struct json_field adam_fields[] = {
    {TYPE(OPTIMIZER, NULL, only_adam)}, {LR("0.001")}, {BETA1}, {BETA2}, {EPSILON}, {DECAY("0", L2_HELP)}, {DECAY_ALL}, {GROUPS}, {NULL},
};
static const struct json_field adamw_fields[] = {
    {TYPE(OPTIMIZER, "\"adamw\"", only_adamw)},
    {LR("0.001")},
    {BETA1},
    {BETA2},
    {EPSILON},
    {DECAY("0.01", DECOUPLED_HELP)},
    {DECAY_ALL},
    {GROUPS},
    {NULL},
};
static const struct json_field *const optimizer_fields[] = {sgd_fields, adam_fields, adamw_fields};

static const struct json_field group_fields[] = {
    {"parameters", JSON_TEXT, offsetof(struct group_settings, parameters), NULL, NULL, NULL, "pattern of names: head.*, *.bias"},
    {"lr_scale", JSON_DOUBLE, offsetof(struct group_settings, lr_scale), "1", "[0,inf)", NULL, "times the learning rate; 0 freezes"},
    {"weight_decay", JSON_DOUBLE, offsetof(struct group_settings, weight_decay), "", "[0,inf)", NULL, "instead of the optimizer's"},
    {NULL},
};

#define WARMUP                "warmup", JSON_DURATION, SCHEDULE(settings.warmup), "0", "[0,inf)", NULL, warmup_help
#define FINAL(fallback, help) "final", JSON_DOUBLE, SCHEDULE(settings.final), fallback, "[0,1]", NULL, help
#define GAMMA                 "gamma", JSON_DOUBLE, SCHEDULE(settings.gamma), "0.1", "(0,1]", NULL, "factor at each milestone"
#define MILESTONES            "milestones", JSON_ANY, SCHEDULE(milestones), "", NULL, NULL, milestones_help
#define PEAK_AT               "peak_at", JSON_DOUBLE, SCHEDULE(settings.peak_at), "0.3", "[0,1]", NULL, "share of the run at which lr is reached"
#define START                 "start", JSON_DOUBLE, SCHEDULE(settings.start), "0.04", "(0,1]", NULL, "first rate, as a share of lr"
#define END_HELP              "rate at the run's end, as a share of lr"

static const char warmup_help[] =
    "linear climb to the first rate, over a share of the run below 1 (0.05), or 100, \"100st\", \"2ep\", \"0.1dur\"";
static const char milestones_help[] = "list of durations, written as warmup; by default half and three quarters of the run";

static const struct json_field constant_fields[] = {
    {TYPE(SCHEDULE, "\"constant\"", only_constant)},
    {WARMUP},
    {NULL},
};
static const struct json_field linear_fields[] = {
    {TYPE(SCHEDULE, NULL, only_linear)},
    {WARMUP},
    {FINAL("0", END_HELP)},
    {NULL},
};
static const struct json_field cosine_fields[] = {
    {TYPE(SCHEDULE, NULL, only_cosine)},
    {WARMUP},
    {FINAL("0", END_HELP)},
    {NULL},
};
static const struct json_field step_fields[] = {
    {TYPE(SCHEDULE, NULL, only_step)}, {WARMUP}, {GAMMA}, {MILESTONES}, {NULL},
};
static const struct json_field one_cycle_fields[] = {
    {TYPE(SCHEDULE, NULL, only_one_cycle)}, {WARMUP}, {PEAK_AT}, {START}, {FINAL("0.0001", "last rate, as a share of the first")}, {NULL},
};
static const struct json_field *const schedule_fields[] = {constant_fields, linear_fields, cosine_fields, step_fields, one_cycle_fields};

static const struct json_field train_fields[] = {
    {"epochs", JSON_INTEGER, TRAIN(settings.epochs), "10", "[1,inf)", NULL, "passes over the training data"},
    {"batch", JSON_INTEGER, TRAIN(settings.batch), "64", "[1,inf)", NULL, "rows of an update"},
    {"micro_batch", JSON_INTEGER, TRAIN(settings.micro_batch), "0", "[0,inf)", NULL, "rows computed at once; 0: the whole batch"},
    {"compute", JSON_CHOICE, TRAIN(settings.compute), "\"f32\"", NULL, compute_names,
     "type in which products and convolutions take their operands; all else stays f32"},
    {"drop_last", JSON_BOOLEAN, TRAIN(settings.drop_last), "false", NULL, NULL, "leave out an incomplete last batch"},
    {"optimizer", JSON_ANY, TRAIN(optimizer), "", NULL, NULL, "by default adamw"},
    {"schedule", JSON_ANY, TRAIN(schedule), "", NULL, NULL, "of the learning rate; by default constant"},
    {"loss", JSON_CHOICE, TRAIN(settings.loss), "", NULL, loss_names, "by default cross-entropy, or squared error for a regression"},
    {"class_weights", JSON_ANY, TRAIN(class_weights), "", NULL, NULL, "\"balanced\", or a list of one weight a class"},
    {"metric", JSON_TEXT, TRAIN(settings.metric), "", NULL, NULL, "the primary one; by default accuracy, or r2 for a regression"},
    {"primary", JSON_TEXT, TRAIN(settings.primary), "", NULL, NULL,
     "weight set of the result; by default the first that is evaluated, else raw"},
    {"log_every", JSON_DURATION, TRAIN(settings.log_every), "50", "(0,inf)", NULL, "how often a step is logged"},
    {"checkpoint_every", JSON_ANY, TRAIN(checkpoint_every), "", NULL, NULL,
     "seconds between checkpoints within an epoch (60; 0: at epoch ends only), or updates (\"20st\")"},
    {"max_skipped", JSON_INTEGER, TRAIN(settings.max_skipped), "10", "[0,inf)", NULL,
     "updates skipped in a row, for a loss or gradient that is not finite, before the run fails"},
    {"evaluate_every", JSON_INTEGER, TRAIN(settings.evaluate_every), "1", "[1,inf)", NULL, "epochs between validations"},
    {NULL},
};

/* ---- Reading ---- */

/* Which of the types an object says it is; it need not say it. */
static knack_status read_type(const struct json *object, const struct json_field *field, int fallback, int *type)
{
    const struct json *said = json_member(object, "type");
    *type = fallback;
    return said ? json_value(said, field, type) : KNACK_OK;
}

/* A list of objects or a list of durations: room for one entry of size bytes per child of node. */
static knack_status list_new(const struct json *node, const char *expected, size_t size, void **list)
{
    if (node->kind != JSON_ARRAY) return json_fail(node, KNACK_E_CONFIG, "expected %s, got %s", expected, json_kind_name(node->kind));
    *list = memory_new((size_t)node->count, size);
    return *list ? KNACK_OK : KNACK_E_MEMORY;
}

static knack_status read_groups(const struct json *node, struct optimizer_settings *settings)
{
    void *list = NULL;
    TRY(list_new(node, "a list of objects like { \"parameters\": \"head.*\", \"lr_scale\": 10 }", sizeof(struct group_settings), &list));
    settings->group = list;
    for (const struct json *entry = node->first; entry; entry = entry->next) {
        struct group_settings *group = &settings->group[settings->groups++];
        group->weight_decay = NAN;
        TRY(json_fields(entry, group_fields, group));
    }
    return KNACK_OK;
}

static knack_status read_optimizer(const struct json *object, struct optimizer_settings *out)
{
    struct optimizer_object read = {.settings.type = OPTIMIZER_ADAMW};
    int type;
    TRY(read_type(object, &optimizer_type_field, OPTIMIZER_ADAMW, &type));
    TRY(json_fields(object, optimizer_fields[type], &read));
    *out = read.settings;
    out->type = type;
    if (out->nesterov && out->momentum == 0) return json_fail(json_member(object, "nesterov"), KNACK_E_CONFIG, "needs a momentum above 0");
    return read.groups ? read_groups(read.groups, out) : KNACK_OK;
}

/* A plain number below 1 is a share of the run, where a duration would take it for updates. */
static void allow_share(const struct json *node, struct json_duration *duration)
{
    if (node && node->kind == JSON_NUMBER && duration->amount < 1) duration->unit = DURATION_RUN;
}

static knack_status read_milestones(const struct json *node, struct schedule_settings *settings)
{
    static const struct json_field duration = {"milestones", JSON_DURATION, 0, NULL, "[0,inf)", NULL, NULL};
    void *list = NULL;
    TRY(list_new(node, "a list of durations like [\"0.5dur\", \"20ep\"]", sizeof(struct json_duration), &list));
    settings->milestone = list;
    for (const struct json *entry = node->first; entry; entry = entry->next) {
        struct json_duration *milestone = &settings->milestone[settings->milestones++];
        TRY(json_value(entry, &duration, milestone));
        allow_share(entry, milestone);
    }
    return KNACK_OK;
}

static knack_status default_milestones(struct schedule_settings *settings)
{
    settings->milestone = memory_new(2, sizeof *settings->milestone);
    if (!settings->milestone) return KNACK_E_MEMORY;
    settings->milestone[0] = (struct json_duration){0.5, DURATION_RUN};
    settings->milestone[1] = (struct json_duration){0.75, DURATION_RUN};
    settings->milestones = 2;
    return KNACK_OK;
}

static knack_status read_schedule(const struct json *object, struct schedule_settings *out)
{
    struct schedule_object read = {.settings.type = SCHEDULE_CONSTANT};
    int type;
    TRY(read_type(object, &schedule_type_field, SCHEDULE_CONSTANT, &type));
    TRY(json_fields(object, schedule_fields[type], &read));
    *out = read.settings;
    out->type = type;
    allow_share(json_member(object, "warmup"), &out->warmup);
    if (type != SCHEDULE_STEP) return KNACK_OK;
    return read.milestones ? read_milestones(read.milestones, out) : default_milestones(out);
}

static knack_status check_loss(const struct json *object, bool regression, int loss)
{
    if (regression == (loss != LOSS_CROSS_ENTROPY)) return KNACK_OK;
    return json_fail(json_member(object, "loss"), KNACK_E_CONFIG,
                     regression ? "a regression needs \"squared\" or \"absolute\"" : "a classification needs \"cross-entropy\"");
}

static knack_status read_class_weights(const struct json *node, bool regression, struct train_settings *out)
{
    static const struct json_field weights = {"class_weights", JSON_DOUBLES, 0, NULL, "[0,inf)", NULL, NULL};
    if (regression) return json_fail(node, KNACK_E_CONFIG, "a regression has no classes to weigh");
    if (node->kind != JSON_STRING) return json_value(node, &weights, &out->class_weights);
    out->balanced = strcmp(node->string, "balanced") == 0;
    return out->balanced ? KNACK_OK
                         : json_fail(node, KNACK_E_CONFIG, "expected \"balanced\" or a list of numbers, got \"%s\"", node->string);
}

static knack_status read_checkpoint_every(const struct json *node, struct train_settings *out)
{
    static const struct json_field seconds = {"checkpoint_every", JSON_DOUBLE, 0, NULL, "[0,inf)", NULL, NULL};
    struct json_duration duration;
    if (node->kind != JSON_STRING) return json_value(node, &seconds, &out->checkpoint_seconds);
    if (json_duration_parse(node->string, &duration) < 0 || duration.unit != DURATION_UPDATES || duration.amount < 1)
        return json_fail(node, KNACK_E_CONFIG, "expected seconds (60) or a number of updates (\"20st\"), got \"%s\"", node->string);
    out->checkpoint_updates = (int64_t)duration.amount;
    return KNACK_OK;
}

static knack_status read_train(const struct json *object, bool regression, struct train_settings *out)
{
    struct train_object read = {.settings = {.loss = regression ? LOSS_SQUARED : LOSS_CROSS_ENTROPY, .checkpoint_seconds = 60}};
    TRY(json_fields(object, train_fields, &read));
    *out = read.settings;
    if (out->micro_batch > out->batch)
        return json_fail(json_member(object, "micro_batch"), KNACK_E_CONFIG, "%lld is more than the batch of %lld rows",
                         (long long)out->micro_batch, (long long)out->batch);
    TRY(check_loss(object, regression, out->loss));
    TRY(read_optimizer(read.optimizer, &out->optimizer));
    TRY(read_schedule(read.schedule, &out->schedule));
    if (read.class_weights) TRY(read_class_weights(read.class_weights, regression, out));
    if (read.checkpoint_every) TRY(read_checkpoint_every(read.checkpoint_every, out));
    return KNACK_OK;
}

knack_status train_settings_read(const struct json *object, bool regression, struct train_settings *out)
{
    *out = (struct train_settings){0};
    knack_status status = read_train(object, regression, out);
    if (status < 0) train_settings_free(out);
    return status;
}

void train_settings_free(struct train_settings *settings)
{
    memory_free(settings->optimizer.group);
    memory_free(settings->schedule.milestone);
    settings->optimizer.group = NULL;
    settings->optimizer.groups = 0;
    settings->schedule.milestone = NULL;
    settings->schedule.milestones = 0;
}

/* ---- Schema ---- */

static void schema_of_types(struct json_writer *writer, const char *name, const struct json_field *const *types, size_t count)
{
    json_open(writer, name, '{');
    json_open(writer, "oneOf", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(writer, NULL, '{');
        json_schema_fields(writer, types[i]);
        json_close(writer);
    }
    json_close(writer);
    json_close(writer);
}

/* The table first; what it leaves open is narrowed by a second schema that must hold too. */
void train_schema(struct json_writer *writer, const char *name)
{
    json_open(writer, name, '{');
    json_schema_fields(writer, train_fields);
    json_open(writer, "allOf", '[');
    json_open(writer, NULL, '{');
    json_open(writer, "properties", '{');
    schema_of_types(writer, "optimizer", optimizer_fields, sizeof optimizer_fields / sizeof *optimizer_fields);
    schema_of_types(writer, "schedule", schedule_fields, sizeof schedule_fields / sizeof *schedule_fields);
    json_close(writer);
    json_close(writer);
    json_close(writer);
    json_close(writer);
}
