/* What is timed: six models of common sizes on random data, and the measure of the machine. */
#ifndef BENCH_WORKLOADS_H
#define BENCH_WORKLOADS_H

#include "base/status.h"

enum workload_kind {
    MLP,
    CNN,
    RESNET,
    ENCODER,
    PRODUCT /* one product of two 1024 x 1024 matrices a step: the machine's own rate */
};

enum { HIDDEN_MOST = 8, CLASSES = 10 };

struct workload {
    const char *name;
    enum workload_kind kind;
    int64_t batch;
    int64_t side, channels;                         /* of an image, side x side; of a row of an mlp, side 1 and so many values */
    int64_t hidden[HIDDEN_MOST];                    /* widths of hidden layers; of a cnn, of convolutions */
    int64_t layers;                                 /* how many of them; of a resnet its depth; of an encoder its layers */
    int64_t width;                                  /* of an encoder; of a cnn, of its linear layer */
    int64_t heads, feedforward, vocabulary, tokens; /* of an encoder */
    double dropout;
    int64_t batches; /* of data */
    struct {
        double share;       /* of the machine's matrix-product rate, at least */
        double two_threads; /* times as fast as one, at least; 0.98 for not slower, but for noise */
        double bf16;        /* times as fast as f32, at least */
        double ms;          /* of a step, at most */
    } target;               /* 0: none */
};

extern const struct workload workloads[]; /* the six; ends with a NULL name */

/* The workload of that name, one of the six or "product"; KNACK_E_USAGE names what there is. */
knack_status workload_find(const char *name, struct workload *);
/* Another size, 0 for the same. width: of all hidden layers, or of an encoder, with 4 x width in its feedforward layers and heads of 32;
 * depth: how many layers. KNACK_E_USAGE: it has no such size, or cannot have it. */
knack_status workload_resize(struct workload *, int64_t batch, int64_t width, int64_t depth, int64_t tokens);

/* Floating-point operations that one step needs: three products a layer, without the gradient of the first one's input, which nobody
 * asks for, and of an encoder's last layer for first tokens only; what is not a product or a convolution is not counted. */
double workload_arithmetic(const struct workload *);

/* The config that trains it, as JSON text, from files of workload_write() in its own folder; memory_free(). bf16: products in bf16;
 * epochs: how many; plugins: entries of the list, or all of it in brackets, JSON text, or "". NULL on error. */
char *workload_config(const struct workload *, int64_t threads, bool bf16, int64_t epochs, const char *plugins);
/* Random inputs and labels, x.npy and y.npy; the same each time. */
knack_status workload_write(const struct workload *, const char *folder);

#endif
