/* At the identity that its manifest declares a trick is not installed. Here each is installed all the same, by a copy of its manifest that
 * declares none: what it does there is nothing, so leaving it out is right. */
#include <stdio.h>

#include "../train/resumed.h"

enum { STEPS = 20, EPOCHS = 5 };

/* Options without which the trick does not open. */
static const char *const needed[][2] = {{"fgm", ", 'layer': 'input'"}, {"pgd", ", 'layer': 'input'"}};

static const char *needed_by(const char *name)
{
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!strcmp(needed[i][0], name)) return needed[i][1];
    return "";
}

static struct run *trained(const char *plugins)
{
    struct run *run = harness_open(
        "{'data': {'source': 'digits', 'limit': 48, 'validation': 16}, 'train': {'epochs': %d, 'batch': 12, 'log_every': 1, 'optimizer': "
        "{'type': 'sgd', 'lr': 0.05, 'momentum': 0.9}}, 'model': {'type': 'layers', 'layers': [{'type': 'flatten'}, {'type': 'linear', "
        "'size': 10}, {'type': 'batch-norm'}, {'type': 'relu'}, {'type': 'dropout', 'rate': 0.3}]}, 'plugins': [%s]}",
        EPOCHS, plugins);
    harness_train(run);
    return run;
}

/* What is to be the same: the losses of all steps, and those of the validation part after each epoch and in the end. */
struct losses {
    double step[STEPS], validation[EPOCHS + 1];
};

static void read_losses(struct losses *losses)
{
    assert_int_equal(logged(NULL, NULL, "loss", losses->step, STEPS), STEPS);
    assert_int_equal(logged("raw", "validation", "loss", losses->validation, EPOCHS + 1), EPOCHS + 1);
}

static double farthest(const double *a, const double *b, int count)
{
    double apart = 0;
    for (int i = 0; i < count; i++) apart = fmax(apart, fabs(a[i] / b[i] - 1));
    return apart;
}

/* FOLDER/NAME.json: the manifest without its identity, with its library by full path. */
static void write_without_identity(const struct manifest *manifest)
{
    char file[64];
    size_t size;
    struct json_writer *writer = json_writer_new(true);
    assert_non_null(writer);
    json_open(writer, NULL, '{');
    for (const struct json *member = manifest->document->root->first; member; member = member->next)
        if (strcmp(member->name, "identity") != 0 && strcmp(member->name, "library") != 0) json_node(writer, member->name, member);
    json_string(writer, "library", manifest->library);
    json_close(writer);
    const char *text = json_text(writer, &size);
    assert_non_null(text);
    snprintf(file, sizeof file, "%s.json", manifest->name);
    assert_int_equal(file_write(harness_path(file), text, size), KNACK_OK);
    json_writer_free(writer);
}

/* An entry with the identity's options: by name, or by the copy of the manifest. */
static const char *entry_of(const struct manifest *manifest, bool by_name)
{
    static char entry[512];
    struct json_writer *writer = json_writer_new(false);
    assert_non_null(writer);
    json_node(writer, NULL, manifest->identity);
    const char *values = json_text(writer, NULL); /* "{...}" */
    assert_non_null(values);
    snprintf(entry, sizeof entry, "{'%s': '%s%s%s'%s, %s", by_name ? "name" : "manifest", by_name ? "" : "./", manifest->name,
             by_name ? "" : ".json", needed_by(manifest->name), values + 1);
    json_writer_free(writer);
    return entry;
}

static void check_identity(const struct manifest *manifest, const struct losses *without)
{
    struct losses with;
    write_without_identity(manifest);
    struct run *run = trained(entry_of(manifest, false));
    assert_int_equal(run->trick_count, 1);
    harness_close(run);
    read_losses(&with);
    double apart = fmax(farthest(with.step, without->step, STEPS), farthest(with.validation, without->validation, EPOCHS + 1));
    if (!(apart <= (IS_DOUBLE ? 1e-12 : 1e-5))) fail_msg("%s at its identity: losses are %g off", manifest->name, apart);

    run = trained(entry_of(manifest, true));
    assert_int_equal(run->trick_count, 0);
    harness_close(run);
    assert_true(harness_has("out/result.json", "\"installed\": false"));
    read_losses(&with);
    assert_memory_equal(&with, without, sizeof with);
}

static void each_identity(void **state)
{
    (void)state;
    struct plugin_search search;
    struct losses without;
    char **name, *path;
    int64_t count, identities = 0;
    harness_close(trained(""));
    read_losses(&without);
    assert_int_equal(plugin_search_open(&search), KNACK_OK);
    assert_int_equal(plugin_search_names(&search, &name, &count), KNACK_OK);
    for (int64_t i = 0; i < count; i++) {
        struct manifest *manifest;
        assert_int_equal(plugin_search_find(&search, name[i], NULL, &path), KNACK_OK);
        assert_int_equal(manifest_read(path, &manifest), KNACK_OK);
        if (manifest->identity) check_identity(manifest, &without);
        identities += manifest->identity != NULL;
        manifest_free(manifest);
        memory_free(path);
    }
    assert_true(identities >= 13);
    memory_free(name);
    plugin_search_close(&search);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_identity)};
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
