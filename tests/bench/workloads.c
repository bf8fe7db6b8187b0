#include "workloads.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/growing.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"

const struct workload workloads[] = {
    {"mlp-tiny", MLP, 32, .side = 1, .channels = 64, .hidden = {64}, .layers = 1, .dropout = 0.1, .batches = 48,
     .target = {0, 0.98, 0, 0.01}},
    {"mlp", MLP, 128, .side = 1, .channels = 784, .hidden = {256, 128}, .layers = 2, .dropout = 0.1, .batches = 48,
     .target = {0.8, 0, 1.4}},
    {"cnn", CNN, 128, .side = 28, .channels = 1, .hidden = {32, 64}, .layers = 2, .width = 128, .dropout = 0.25, .batches = 16,
     .target = {0.65, 1.7, 1.4}},
    {"resnet20", RESNET, 128, .side = 32, .channels = 3, .layers = 20, .batches = 8, .target = {0.7, 1.85, 1.4}},
    {"encoder", ENCODER, 32, .layers = 4, .width = 128, .heads = 4, .feedforward = 512, .vocabulary = 8000, .tokens = 64, .dropout = 0.1,
     .batches = 48, .target = {0.7, 1.6, 1.4}},
    {"encoder-base", ENCODER, 16, .layers = 6, .width = 384, .heads = 12, .feedforward = 1536, .vocabulary = 30000, .tokens = 128,
     .dropout = 0.1, .batches = 48, .target = {0.8, 1.6, 1.5}},
    {NULL},
};
static const struct workload product = {"product", PRODUCT};
enum { PRODUCT_SIZE = 1024, RESNET_WIDTH = 16, HEAD = 32 };

knack_status workload_find(const char *name, struct workload *found)
{
    const char *names[16];
    int64_t count = 0;
    char list[256];
    *found = product;
    if (strcmp(product.name, name) == 0) return KNACK_OK;
    for (const struct workload *w = workloads; w->name; w++) {
        *found = *w;
        if (strcmp(w->name, name) == 0) return KNACK_OK;
        names[count++] = w->name;
    }
    return status_set(KNACK_E_USAGE, "no workload \"%s\"; there are %s", name, text_list(list, sizeof list, names, count));
}

static knack_status no_size(const struct workload *w, const char *size)
{
    return status_set(KNACK_E_USAGE, "%s: it has no %s that could be set", w->name, size);
}

static knack_status set_width(struct workload *w, int64_t width)
{
    if (w->kind == ENCODER) {
        if (width % HEAD != 0)
            return status_set(KNACK_E_USAGE, "%s: a width of %" PRId64 " is no multiple of its head size %d", w->name, width, HEAD);
        w->width = width;
        w->feedforward = 4 * width;
        w->heads = width / HEAD;
    } else if (w->kind == MLP) {
        for (int64_t i = 0; i < w->layers; i++) w->hidden[i] = width;
    } else {
        return no_size(w, "width");
    }
    return KNACK_OK;
}

/* A cnn's next layer would need more channels, which nobody named. */
static knack_status set_depth(struct workload *w, int64_t depth)
{
    int64_t most = w->kind == MLP ? HIDDEN_MOST : w->kind == CNN ? w->layers : INT64_MAX;
    if (w->kind == PRODUCT) return no_size(w, "depth");
    if (depth > most) return status_set(KNACK_E_USAGE, "%s: a depth of %" PRId64 " is more than its most, %" PRId64, w->name, depth, most);
    if (w->kind == RESNET && (depth < 8 || depth % 6 != 2))
        return status_set(KNACK_E_USAGE, "%s: a depth of %" PRId64 " is none of 8, 14, 20, 26, ...", w->name, depth);
    for (int64_t i = w->layers; w->kind == MLP && i < depth; i++) w->hidden[i] = w->hidden[i - 1];
    w->layers = depth;
    return KNACK_OK;
}

knack_status workload_resize(struct workload *w, int64_t batch, int64_t width, int64_t depth, int64_t tokens)
{
    if (batch > 0 && w->kind == PRODUCT) return no_size(w, "batch");
    if (tokens > 0 && w->kind != ENCODER) return no_size(w, "tokens");
    if (batch > 0) { /* as many rows as before, but at least a few batches */
        int64_t batches = w->batch * w->batches / batch;
        w->batches = batches < 4 ? 4 : batches;
        w->batch = batch;
    }
    if (tokens > 0) w->tokens = tokens;
    if (depth > 0) TRY(set_depth(w, depth));
    return width > 0 ? set_width(w, width) : KNACK_OK;
}

/* ---- Arithmetic ---- */

/* A product's or convolution's share: passes 2 where its input's gradient is not needed, else 3. */
static double layer(double rows, double in, double out, int passes)
{
    return 2 * rows * in * out * passes;
}

static double mlp_arithmetic(const struct workload *w)
{
    double rows = (double)w->batch, in = (double)(w->side * w->side * w->channels), sum = 0;
    for (int64_t i = 0; i < w->layers; i++) {
        sum += layer(rows, in, (double)w->hidden[i], i == 0 ? 2 : 3);
        in = (double)w->hidden[i];
    }
    return sum + layer(rows, in, CLASSES, 3);
}

static double cnn_arithmetic(const struct workload *w)
{
    double side = (double)w->side, in = (double)w->channels, sum = 0;
    for (int64_t i = 0; i < w->layers; i++, side /= 2) {
        sum += layer((double)w->batch * side * side, 9 * in, (double)w->hidden[i], i == 0 ? 2 : 3);
        in = (double)w->hidden[i];
    }
    return sum + layer((double)w->batch, side * side * in, (double)w->width, 3) + layer((double)w->batch, (double)w->width, CLASSES, 3);
}

/* Three stages of (depth - 2) / 6 blocks of two convolutions; a shortcut of 1x1 where the width changes. */
static double resnet_arithmetic(const struct workload *w)
{
    double pixels = (double)(w->batch * w->side * w->side), in = RESNET_WIDTH;
    double sum = layer(pixels, 9 * (double)w->channels, in, 2);
    for (int stage = 0; stage < 3; stage++) {
        double out = RESNET_WIDTH << stage;
        pixels /= stage ? 4 : 1;
        for (int64_t block = 0; block < (w->layers - 2) / 6; block++, in = out) {
            sum += layer(pixels, 9 * in, out, 3) + layer(pixels, 9 * out, out, 3);
            if (in != out) sum += layer(pixels, in, out, 3);
        }
    }
    return sum + layer((double)w->batch, in, CLASSES, 3);
}

/* A layer: queries, keys, values and output, scores and values of attention, two linear layers. Of the last layer nothing but each row's
 * first token goes on, so that only keys and values are needed of the others. An embedding is no product. */
static double encoder_arithmetic(const struct workload *w)
{
    double width = (double)w->width, tokens = (double)w->tokens, all = (double)w->batch * tokens, sum = 0;
    for (int64_t i = 0; i < w->layers; i++) {
        double asking = i == w->layers - 1 ? (double)w->batch : all;
        sum += layer(all, width, 2 * width, 3) + layer(asking, width, 2 * width, 3) + 2 * layer(asking, width, tokens, 3);
        sum += 2 * layer(asking, width, (double)w->feedforward, 3);
    }
    return sum + layer((double)w->batch, width, CLASSES, 3);
}

double workload_arithmetic(const struct workload *w)
{
    switch (w->kind) {
    case MLP:
        return mlp_arithmetic(w);
    case CNN:
        return cnn_arithmetic(w);
    case RESNET:
        return resnet_arithmetic(w);
    case ENCODER:
        return encoder_arithmetic(w);
    case PRODUCT:
        break;
    }
    return layer(PRODUCT_SIZE, PRODUCT_SIZE, PRODUCT_SIZE, 1);
}

/* ---- Config ---- */

static void put(struct growing *, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct growing *text, const char *format, ...)
{
    char buffer[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(buffer, sizeof buffer, format, arguments);
    va_end(arguments);
    growing_put_text(text, buffer);
}

static void put_sizes(struct growing *text, const char *name, const struct workload *w)
{
    put(text, "\"%s\": [", name);
    for (int64_t i = 0; i < w->layers; i++) put(text, "%s%" PRId64, i ? ", " : "", w->hidden[i]);
    put(text, "], ");
}

static void put_model(struct growing *text, const struct workload *w)
{
    static const char *const types[] = {"mlp", "cnn", "resnet", "encoder"};
    put(text, "\"model\": {\"type\": \"%s\", ", types[w->kind]);
    if (w->kind == MLP) put_sizes(text, "hidden", w);
    if (w->kind == CNN) put_sizes(text, "channels", w);
    if (w->kind == CNN) put(text, "\"hidden\": [%" PRId64 "], ", w->width);
    if (w->kind == ENCODER)
        put(text,
            "\"vocabulary\": %" PRId64 ", \"padding\": -1, \"layers\": %" PRId64 ", \"width\": %" PRId64 ", \"heads\": %" PRId64
            ", \"feedforward\": %" PRId64 ", \"norm\": \"post\", \"pooling\": \"cls\", ",
            w->vocabulary, w->layers, w->width, w->heads, w->feedforward);
    if (w->kind == RESNET)
        put(text, "\"depth\": %" PRId64 "},\n", w->layers);
    else
        put(text, "\"dropout\": %g},\n", w->dropout);
}

char *workload_config(const struct workload *w, int64_t threads, bool bf16, int64_t epochs, const char *plugins)
{
    bool whole = plugins[strspn(plugins, " \t\n")] == '[';
    /* On labels by chance, and without warmup, a network's hidden units soon die at that rate. No step takes less time then, but attacks by
     * a gradient of 0 are left out, so beside tricks it is lower. */
    const char *lr = plugins[0] == '\0' ? "1e-3" : "1e-6";
    struct growing text = {0};
    put(&text, "{ \"data\": {\"npy\": {\"inputs\": \"x.npy\", \"targets\": \"y.npy\"}, \"task\": \"classification\"},\n  ");
    put_model(&text, w);
    put(&text,
        "  \"train\": {\"epochs\": %" PRId64 ", \"batch\": %" PRId64
        ", %s\"optimizer\": {\"type\": \"adamw\", \"lr\": %s, \"decay_all\": true}},\n",
        epochs, w->batch, bf16 ? "\"compute\": \"bf16\", " : "", lr);
    put(&text, "  \"threads\": %" PRId64 ", \"plugins\": %s", threads, whole ? "" : "[");
    growing_put_text(&text, plugins);
    growing_put_text(&text, whole ? " }\n" : "] }\n");
    return growing_take(&text);
}

/* ---- Data ---- */

/* FOLDER/NAME, an npy file of 4-byte values: descr "<f4" or "<i4"; shape as Python writes it. */
static knack_status write_npy(const char *folder, const char *name, const char *descr, const char *shape, const void *values, int64_t count)
{
    enum { HEADER = 128 };
    char header[HEADER + 1] = "\x93NUMPY\x01\x00\x76\x00"; /* 10 bytes, then 118 of text */
    snprintf(header + 10, sizeof header - 10, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape);
    size_t length = 10 + strlen(header + 10);
    memset(header + length, ' ', HEADER - length);
    header[HEADER - 1] = '\n';
    char *path = file_join(folder, name);
    struct file_output *file;
    knack_status status = path ? file_create(path, &file) : KNACK_E_MEMORY;
    memory_free(path);
    TRY(status);
    if (file_put(file, header, HEADER) >= 0 && file_put(file, values, (size_t)count * 4) >= 0) return file_commit(file);
    file_abandon(file);
    return KNACK_E_IO;
}

static knack_status write_inputs(const struct workload *w, const char *folder, int64_t rows)
{
    char shape[96];
    int64_t width = w->kind == ENCODER ? w->tokens : w->side * w->side * w->channels, count = rows * width;
    uint64_t key = random_key(1, "bench");
    struct random_place place = {0};
    union {
        float *real;
        int32_t *id;
    } values = {memory_new((size_t)count, 4)};
    if (!values.real) return KNACK_E_MEMORY;
    if (w->kind == ENCODER)
        for (int64_t i = 0; i < count; i++) values.id[i] = (int32_t)random_below(key, place, (uint64_t)i, (uint64_t)w->vocabulary);
    else
        for (int64_t i = 0; i < count; i++) values.real[i] = (float)random_normal(key, place, (uint64_t)i);
    if (w->side > 1)
        snprintf(shape, sizeof shape, "(%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ")", rows, w->side, w->side, w->channels);
    else
        snprintf(shape, sizeof shape, "(%" PRId64 ", %" PRId64 ")", rows, width);
    knack_status status = write_npy(folder, "x.npy", w->kind == ENCODER ? "<i4" : "<f4", shape, values.real, count);
    memory_free(values.real);
    return status;
}

knack_status workload_write(const struct workload *w, const char *folder)
{
    char shape[32];
    int64_t rows = w->batch * w->batches;
    int32_t *label = memory_new((size_t)rows, sizeof *label);
    if (!label) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < rows; i++) label[i] = (int32_t)(i % CLASSES);
    snprintf(shape, sizeof shape, "(%" PRId64 ",)", rows);
    knack_status status = write_npy(folder, "y.npy", "<i4", shape, label, rows);
    memory_free(label);
    return status < 0 ? status : write_inputs(w, folder, rows);
}
