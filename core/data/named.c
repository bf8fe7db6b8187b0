#include "data/named.h"

#include "base/file.h"
#include "base/memory.h"
#include "data/digits.h"

static const char fashion_folder[] = "/usr/share/datasets/fashion-mnist";

const char *const named_name[NAMED_COUNT + 1] = {"digits", "fashion-mnist", NULL};

const char *const *named_classes(int named)
{
    static const char *const fashion[] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                          "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
    return named == NAMED_FASHION_MNIST ? fashion : NULL;
}

/* Takes both blobs over. */
static knack_status read_pair(struct blob *images, struct blob *labels, double divide, struct table *table)
{
    struct array inputs, targets;
    knack_status status = read_idx(images, &inputs);
    if (status < 0) {
        blob_close(labels);
        return status;
    }
    status = read_idx(labels, &targets);
    if (status < 0) {
        array_free(&inputs);
        return status;
    }
    return table_from_arrays(&inputs, &targets, divide, table);
}

static knack_status open_digits(struct table *train)
{
    struct blob images, labels;
    TRY(blob_embedded("digits (images)", digits_images, digits_images_end - digits_images, &images));
    knack_status status = blob_embedded("digits (labels)", digits_labels, digits_labels_end - digits_labels, &labels);
    if (status < 0) {
        blob_close(&images);
        return status;
    }
    return read_pair(&images, &labels, 16, train);
}

static knack_status open_in(const char *folder, const char *name, struct blob *blob)
{
    *blob = BLOB_NONE;
    char *path = file_join(folder, name);
    if (!path) return KNACK_E_MEMORY;
    knack_status status = file_exists(path)
                              ? blob_open(path, blob)
                              : status_set(KNACK_E_DATA, "%s is not there; apt-get install dataset-fashion-mnist brings it", path);
    memory_free(path);
    return status;
}

static knack_status open_pair(const char *folder, const char *images_name, const char *labels_name, struct table *table)
{
    struct blob images, labels;
    TRY(open_in(folder, images_name, &images));
    knack_status status = open_in(folder, labels_name, &labels);
    if (status < 0) {
        blob_close(&images);
        return status;
    }
    return read_pair(&images, &labels, 255, table);
}

knack_status named_fashion_mnist(const char *folder, struct table *train, struct table *test)
{
    TRY(open_pair(folder, "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", train));
    knack_status status = open_pair(folder, "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", test);
    if (status < 0) table_free(train);
    return status;
}

knack_status named_open(int named, struct table *train, struct table *test, int64_t *test_every)
{
    *train = *test = (struct table){0};
    *test_every = named == NAMED_DIGITS ? 5 : 0;
    return named == NAMED_DIGITS ? open_digits(train) : named_fashion_mnist(fashion_folder, train, test);
}
