/* A program that embeds knack and uses a locale with decimal commas: what knack reads and writes does not change. */
#include "config.h"
#include "program.h"

#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <knack/knack.h>

/* One of the system's, or one that is made here. */
static bool use_decimal_comma(void)
{
    static const char *const installed[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8"};
    for (size_t i = 0; i < sizeof installed / sizeof *installed; i++)
        if (setlocale(LC_NUMERIC, installed[i])) return true;
    write_text("numeric", "LC_NUMERIC\ndecimal_point \",\"\nthousands_sep \".\"\ngrouping 3;3\nEND LC_NUMERIC\n");
    if (system("localedef -c -i ./numeric ./xx_XX >/dev/null 2>&1") < 0 || !path_exists("xx_XX/LC_NUMERIC")) return false;
    setenv("LOCPATH", ".", 1);
    return setlocale(LC_NUMERIC, "xx_XX") != NULL;
}

/* knack_main() with standard output going to a file. */
static void run_main(const char *output, int argc, const char *const *argv)
{
    fflush(stdout);
    int screen = dup(STDOUT_FILENO), file = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(screen >= 0 && file >= 0);
    dup2(file, STDOUT_FILENO);
    int status = knack_main(argc, (char **)argv);
    fflush(stdout);
    dup2(screen, STDOUT_FILENO);
    close(screen);
    close(file);
    assert_int_equal(status, 0);
}

static void predict_rows(const char *folder, float *out)
{
    knack_predictor *predictor = knack_predictor_open(folder, NULL, NULL, NULL);
    if (!predictor) fail_msg("%s", knack_error());
    assert_int_equal(knack_predictor_inputs(predictor), 2);
    assert_int_equal(knack_predictor_outputs(predictor), 2);
    assert_string_equal(knack_predictor_class(predictor, 1), "b");
    assert_null(knack_predictor_class(predictor, 2));
    static const float rows[] = {0.25f, 1.5f, 3.75f, -0.5f}; /* [2, 2] */
    assert_int_equal(knack_predict(predictor, rows, 2, out), KNACK_OK);
    knack_predictor_close(predictor);
}

/* Trains and predicts; everything that holds numbers goes to files named after the locale. */
static void train_and_predict(const char *name, struct knack_result *result, float *out)
{
    struct knack_run_options options = {.size = sizeof options, .out = name};
    options.set = (const char *const[]){"train.optimizer.lr=0.0125"};
    options.set_count = 1;
    *result = (struct knack_result){.size = sizeof *result};
    if (knack_train("table.json", &options, result) < 0) fail_msg("%s", knack_error());
    predict_rows(name, out);
    char predictions[32], shown[32];
    strcat(strcpy(predictions, name), ".csv");
    strcat(strcpy(shown, name), ".txt");
    run_main(predictions, 4, (const char *const[]){"knack", "predict", name, "table.csv", NULL});
    run_main(shown, 3, (const char *const[]){"knack", "eval", name, NULL});
}

static void test_same_numbers(void **state)
{
    (void)state;
    FILE *file = fopen("table.csv", "w");
    assert_non_null(file);
    fputs("x,y,kind\n", file);
    for (int i = 0; i < 50; i++) fprintf(file, "%d.25,-%d.5e-1,%s\n", i % 9, i % 4, i % 9 > 4 ? "b" : "a");
    fclose(file);
    write_text(
        "table.json",
        "{\"data\": {\"csv\": \"table.csv\", \"target\": \"kind\", \"test\": {\"csv\": \"table.csv\", \"target\": \"kind\"}}, \"model\": "
        "{\"type\": \"mlp\", \"hidden\": [4], \"dropout\": 0.125}, \"train\": {\"epochs\": 3, \"batch\": 10}}");
    struct knack_result plain, comma;
    float plain_out[4], comma_out[4];
    train_and_predict("plain", &plain, plain_out);
    if (!use_decimal_comma()) {
        print_message("no locale with a decimal comma, and localedef cannot make one\n");
        skip();
    }
    char half[8];
    snprintf(half, sizeof half, "%.1f", 0.5);
    assert_string_equal(half, "0,5");
    train_and_predict("comma", &comma, comma_out);
    assert_string_equal(localeconv()->decimal_point, ",");
    setlocale(LC_NUMERIC, "C");
    assert_same_files("plain/metrics.jsonl", "comma/metrics.jsonl");
    assert_same_files("plain/config.json", "comma/config.json");
    assert_same_files("plain/model.safetensors", "comma/model.safetensors");
    assert_same_files("plain.csv", "comma.csv");
    assert_same_files("plain.txt", "comma.txt");
    assert_memory_equal(plain_out, comma_out, sizeof plain_out);
    assert_true(plain.value == comma.value && plain.steps == 15 && comma.steps == 15);
    assert_string_equal(plain.metric, "accuracy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_numbers)};
    return cmocka_run_group_tests(tests, workplace_enter, workplace_leave);
}
