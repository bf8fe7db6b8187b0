/* Operations on sequences of tokens: which tokens there are, what is computed of them, and which masks of dropout they get. Gradients are
 * in test_gradients.c, the kernel of attention in test_token_kernels.c. */
#include "fixture.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/threads.h"
#include "tensor/sequences.h"

static struct fixture fixture;

static int open_fixture(void **state)
{
    (void)state;
    fixture_open(&fixture);
    return 0;
}

static int close_fixture(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

/* Ids below 10, of which 0 is padding. */
static const struct sequences *sequences(const knack_real *ids, int ndim, const int64_t *shape)
{
    const struct sequences *s = sequences_new(constant(&fixture, ids, ndim, shape), 10, 0);
    if (!s) fail_msg("%s", tape_status(&fixture.tape) < 0 ? knack_error() : "no sequences, and no failure");
    return s;
}

static knack_tensor *noise(int ndim, const int64_t *shape)
{
    static uint32_t drawn;
    int64_t count = 1;
    for (int i = 0; i < ndim; i++) count *= shape[i];
    knack_real *value = arena_alloc(fixture.arena, (size_t)count * sizeof *value);
    assert_non_null(value);
    random_uniforms(3, (struct random_place){.a = drawn++}, 0, count, value);
    for (int64_t i = 0; i < count; i++) value[i] = 2 * value[i] - 1;
    return variable(&fixture, value, ndim, shape);
}

static void assert_bits(const void *a, const void *b, size_t bytes)
{
    assert_non_null(a);
    assert_non_null(b);
    assert_memory_equal(a, b, bytes);
}

static void assert_shape(const knack_tensor *x, int ndim, const int64_t *shape)
{
    char got[96], wanted[96];
    assert_non_null(x);
    assert_string_equal(shape_text(got, x->ndim, x->shape), shape_text(wanted, ndim, shape));
}

/* ---- Which tokens there are ---- */

static void tokens_lie_one_behind_the_other(void **state)
{
    (void)state;
    const struct sequences *s = sequences(REALS(0, 5, 0, 6, 7, 8, 9, 1, 2, 0, 0, 0), SHAPE(3, 4));
    assert_int_equal(s->rows, 3);
    assert_int_equal(s->length, 4);
    assert_int_equal(s->count, 7);
    assert_bits(s->start, (int64_t[]){0, 2, 6, 7}, 4 * sizeof(int64_t));
    assert_bits(s->id, (int32_t[]){5, 6, 7, 8, 9, 1, 2}, 7 * sizeof(int32_t));
    assert_bits(s->place, (int32_t[]){1, 3, 4, 5, 6, 7, 8}, 7 * sizeof(int32_t));
}

static void without_a_padding_id_all_are_tokens(void **state)
{
    (void)state;
    const struct sequences *s = sequences_new(constant(&fixture, REALS(0, -0.0, 9, 0), SHAPE(2, 2)), 10, -1);
    assert_non_null(s);
    assert_int_equal(s->count, 4);
    assert_bits(s->id, (int32_t[]){0, 0, 9, 0}, 4 * sizeof(int32_t));
}

#define NO_ID(value) "row 1 of the batch, position 2: " value " is no token id, which are whole numbers from 0 to 9"
#define UNKNOWN      "; how many there are is the model's \"vocabulary\""
#define FRACTION                                                                                                                           \
    "; neither divide ids (as 8-bit integers are unless data says \"divide\": 1) nor standardise or mix them: tricks may change a layer "  \
    "behind them, such as \"embedding\""

static void what_is_no_id_is_refused(void **state)
{
    (void)state;
    static const struct {
        double id;
        const char *message;
    } cases[] = {{10, NO_ID("10") UNKNOWN},        {-1, NO_ID("-1") UNKNOWN},      {16777216, NO_ID("16777216") UNKNOWN},
                 {0.25, NO_ID("0.25") FRACTION},   {-0.5, NO_ID("-0.5") FRACTION}, {9.5, NO_ID("9.5") FRACTION},
                 {INFINITY, NO_ID("inf") FRACTION}};
    for (int64_t i = 0; i < LENGTH(cases); i++) {
        assert_null(sequences_new(constant(&fixture, REALS(1, 2, 3, 4, 5, (knack_real)cases[i].id), SHAPE(2, 3)), 10, 0));
        assert_failure(&fixture, KNACK_E_SHAPE, cases[i].message);
    }
    assert_null(sequences_new(constant(&fixture, REALS(1, 2, 3, 4, 5, NAN), SHAPE(2, 3)), 10, 0));
    assert_int_equal(tape_status(&fixture.tape), KNACK_E_SHAPE);
    assert_non_null(strstr(knack_error(), "nan is no token id"));
    tape_begin(&fixture.tape, fixture.arena);
}

static void what_is_no_row_of_ids_is_refused(void **state)
{
    (void)state;
    assert_null(sequences_new(NULL, 10, 0));
    assert_null(sequences_new(constant(&fixture, REALS(1, 2, 0, 0), SHAPE(2, 2)), 10, 0));
    assert_failure(&fixture, KNACK_E_SHAPE, "row 1 of the batch has no token but padding (id 0)");
    assert_null(sequences_new(constant(&fixture, REALS(1, 2), SHAPE(1, 2, 1)), 10, 0));
    assert_failure(&fixture, KNACK_E_SHAPE, "token ids: expected an operand of 2 axes, got shape [1, 2, 1]");
    assert_null(sequences_new(variable(&fixture, REALS(1, 2), SHAPE(1, 2)), 10, 0));
    assert_failure(&fixture, KNACK_E_SHAPE, "token ids have no gradient; attack a layer behind them, such as \"embedding\"");
    knack_tensor *large = constant(&fixture, REALS(1), SHAPE(1, 1));
    large->count = (int64_t)INT32_MAX + 1;
    assert_null(sequences_new(large, 10, 0));
    assert_failure(&fixture, KNACK_E_SHAPE, "token ids of shape [1, 1] are too many for one pass: set train.micro_batch");
}

/* ---- Between tokens and rows ---- */

static void an_embedding_is_a_sum_of_two_rows(void **state)
{
    (void)state;
    const struct sequences *s = sequences(REALS(2, 0, 1, 0, 0, 2), SHAPE(2, 3));
    knack_tensor *table = constant(&fixture, REALS(100, 100, 1, 2, 3, 4), SHAPE(3, 2)),
                 *positions = constant(&fixture, REALS(10, 20, 30, 40, 50, 60), SHAPE(3, 2));
    knack_tensor *x = tensor_embed(s, table, positions);
    assert_shape(x, SHAPE(3, 2));
    assert_reals(x->data, REALS(13, 24, 51, 62, 53, 64), 6);
    assert_null(tensor_embed(NULL, table, positions));
    assert_null(tensor_embed(s, NULL, positions));
    assert_null(tensor_embed(s, table, constant(&fixture, REALS(1, 2, 3, 4), SHAPE(2, 2))));
    assert_failure(&fixture, KNACK_E_SHAPE, "tensor_embed: positions do not fit 3 tokens a row of 2 values");
}

static void rows_have_zeros_for_padding(void **state)
{
    (void)state;
    const struct sequences *s = sequences(REALS(2, 0, 1, 0, 0, 2), SHAPE(2, 3));
    knack_tensor *x = constant(&fixture, REALS(1, 2, 3, 4, 5, 6), SHAPE(3, 2)), *rows = tensor_spread(s, x);
    assert_shape(rows, SHAPE(2, 3, 2));
    assert_reals(rows->data, REALS(1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 5, 6), 12);
    knack_tensor *back = tensor_gather_tokens(s, rows);
    assert_shape(back, SHAPE(3, 2));
    assert_bits(back->data, x->data, 6 * sizeof(knack_real));
    assert_null(tensor_gather_tokens(s, constant(&fixture, REALS(1, 2, 3, 4, 5, 6), SHAPE(1, 3, 2))));
    assert_failure(&fixture, KNACK_E_SHAPE, "a layer of tokens became [1, 3, 2], its first two sizes were 2 and 3");
    assert_null(tensor_gather_tokens(s, x));
    assert_failure(&fixture, KNACK_E_SHAPE, "tensor_gather_tokens: expected an operand of 3 axes, got shape [3, 2]");
}

/* Nothing is copied where there is nothing to leave out. */
static void without_padding_rows_are_the_same_numbers(void **state)
{
    (void)state;
    const struct sequences *s = sequences(REALS(1, 2, 3, 4, 5, 6), SHAPE(2, 3));
    knack_tensor *x = noise(SHAPE(6, 2)), *rows = tensor_spread(s, x), *back = tensor_gather_tokens(s, rows);
    assert_shape(rows, SHAPE(2, 3, 2));
    assert_shape(back, SHAPE(6, 2));
    assert_ptr_equal(rows->data, x->data);
    assert_ptr_equal(back->data, x->data);
}

static void a_row_gives_its_first_token_or_the_mean(void **state)
{
    (void)state;
    const struct sequences *s = sequences(REALS(0, 2, 1, 3, 0, 0), SHAPE(2, 3));
    knack_tensor *x = constant(&fixture, REALS(1, 2, 3, 6, 5, 7), SHAPE(3, 2));
    knack_tensor *first = tensor_first_tokens(s, x), *mean = tensor_mean_tokens(s, x);
    assert_shape(first, SHAPE(2, 2));
    assert_shape(mean, SHAPE(2, 2));
    assert_reals(first->data, REALS(1, 2, 5, 7), 4);
    assert_reals(mean->data, REALS(2, 4, 5, 7), 4);
}

/* ---- Masks ---- */

enum { LONG = 6 };
static const int64_t logical_rows[] = {4, 9, 2};

static struct token_dropout dropout_of(const struct sequences *s, double rate)
{
    return (struct token_dropout){.sequences = s, .rate = rate, .address = {.key = 11, .batch = 3, .pass = 1, .row = logical_rows}};
}

/* Of a token at its place in a row, by the definition. */
static void expect_mask(const uint8_t *mask, int64_t width, int64_t row, int64_t place)
{
    uint8_t wanted[64];
    const int64_t block = (width + 7) / 8 * 8;
    random_mask(11, (struct random_place){3, (uint32_t)logical_rows[row], 1}, (uint64_t)(place * block), width, 0.5, wanted);
    assert_bits(mask, wanted, (size_t)width);
}

static void a_mask_is_that_of_row_and_place(void **state)
{
    (void)state;
    static const int64_t widths[] = {1, 7, 8, 11, 16, 40};
    const struct sequences *s = sequences(REALS(0, 1, 2, 0, 3, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 1), SHAPE(3, LONG));
    for (int64_t w = 0; w < LENGTH(widths); w++) {
        struct token_dropout dropout = dropout_of(s, 0.5);
        const uint8_t *mask = token_mask(&dropout, widths[w]);
        assert_non_null(mask);
        for (int64_t row = 0; row < s->rows; row++)
            for (int64_t i = s->start[row]; i < s->start[row + 1]; i++)
                expect_mask(mask + i * widths[w], widths[w], row, s->place[i] % LONG);
        dropout.first_only = true;
        mask = token_mask(&dropout, widths[w]);
        assert_non_null(mask);
        for (int64_t row = 0; row < s->rows; row++) expect_mask(mask + row * widths[w], widths[w], row, s->place[s->start[row]] % LONG);
    }
}

/* Whatever the rows beside it are, and whichever of them are in the pass. */
static void a_mask_knows_no_other_rows(void **state)
{
    (void)state;
    enum { WIDE = 11 };
    const struct sequences *padded = sequences(REALS(1, 2, 3, 1, 0, 0, 4, 0, 5), SHAPE(3, 3)),
                           *full = sequences(REALS(1, 2, 3, 7, 8, 9, 4, 6, 5), SHAPE(3, 3)), *last = sequences(REALS(4, 0, 5), SHAPE(1, 3));
    struct token_dropout of_padded = dropout_of(padded, 0.3), of_full = dropout_of(full, 0.3), of_last = dropout_of(last, 0.3);
    of_last.address.row = logical_rows + 2;
    const uint8_t *a = token_mask(&of_padded, WIDE), *b = token_mask(&of_full, WIDE), *c = token_mask(&of_last, WIDE);
    assert_bits(a, b, 3 * WIDE);                   /* the first row */
    assert_bits(a + 3 * WIDE, b + 3 * WIDE, WIDE); /* the second, where it is not padding */
    assert_bits(a + 4 * WIDE, b + 6 * WIDE, WIDE); /* the third */
    assert_bits(a + 5 * WIDE, b + 8 * WIDE, WIDE);
    assert_bits(a + 4 * WIDE, c, 2 * WIDE); /* the third alone */
}

static void threads_change_no_mask(void **state)
{
    (void)state;
    enum { ROWS = 3, COLUMNS = 401, WIDE = 81 };
    knack_real ids[ROWS * COLUMNS];
    for (int i = 0; i < ROWS * COLUMNS; i++) ids[i] = (knack_real)(i % 7);
    const struct sequences *s = sequences(ids, SHAPE(ROWS, COLUMNS));
    assert_true(s->count * WIDE >= THREADS_WORTH);
    const struct token_dropout dropout = dropout_of(s, 0.1);
    const uint8_t *one = token_mask(&dropout, WIDE);
    for (int threads = 2; threads <= 3; threads++) {
        assert_int_equal(threads_set(threads), KNACK_OK);
        assert_bits(token_mask(&dropout, WIDE), one, (size_t)(s->count * WIDE));
    }
    threads_set(1);
}

/* ---- What is computed with masks ---- */

/* x [count, width] as it is after the mask. */
static const knack_real *dropped(const struct token_dropout *dropout, const knack_tensor *x)
{
    const uint8_t *mask = token_mask(dropout, tensor_width(x));
    knack_real *out = arena_alloc(fixture.arena, (size_t)x->count * sizeof *out);
    assert_non_null(mask);
    assert_non_null(out);
    for (int64_t i = 0; i < x->count; i++) out[i] = mask[i] ? ((const knack_real *)x->data)[i] * (knack_real)(1 / (1 - dropout->rate)) : 0;
    return out;
}

static void the_fused_are_what_they_are_made_of(void **state)
{
    (void)state;
    const struct sequences *s = sequences(REALS(0, 1, 2, 0, 3, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 1), SHAPE(3, LONG));
    static const int64_t widths[] = {1, 5, 16, 33};
    for (int64_t w = 0; w < LENGTH(widths); w++)
        for (int way = 0; way < 4; way++) {
            struct token_dropout dropout = dropout_of(s, way & 1 ? 0.4 : 0);
            dropout.first_only = way & 2;
            const int64_t rows = dropout.first_only ? s->rows : s->count, count = rows * widths[w];
            knack_tensor *x = noise(SHAPE(rows, widths[w])), *change = noise(SHAPE(rows, widths[w]));
            knack_tensor *gamma = noise(SHAPE(widths[w])), *beta = noise(SHAPE(widths[w]));
            knack_tensor *left = constant(&fixture, dropped(&dropout, change), SHAPE(rows, widths[w]));
            assert_reals(knack_data(tensor_drop_tokens(change, &dropout)), left->data, count);
            assert_reals(knack_data(tensor_add_drop(x, change, &dropout)), knack_data(knack_add(x, left)), count);
            assert_reals(knack_data(tensor_add_norm(x, change, &dropout, gamma, beta, 0.01)),
                         knack_data(knack_layer_norm(knack_add(x, left), gamma, beta, 0.01)), count);
            assert_bits(knack_data(tensor_add_norm(x, NULL, &dropout, gamma, beta, 0.01)),
                        knack_data(knack_layer_norm(x, gamma, beta, 0.01)), (size_t)count * sizeof(knack_real));
            assert_reals(knack_data(tensor_gelu_drop(knack_scale(change, 1), &dropout)), dropped(&dropout, knack_gelu(change)), count);
        }
}

static void what_is_dropped_of_nothing_is_the_operand(void **state)
{
    (void)state;
    const struct token_dropout none = dropout_of(sequences(REALS(1, 2), SHAPE(1, 2)), 0);
    knack_tensor *x = noise(SHAPE(2, 3));
    assert_ptr_equal(tensor_drop_tokens(x, &none), x);
}

static void operands_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const struct token_dropout dropout = dropout_of(sequences(REALS(1, 2), SHAPE(1, 2)), 0.5);
    knack_tensor *x = noise(SHAPE(2, 3)), *wide = noise(SHAPE(2, 4)), *three = noise(SHAPE(3)), *four = noise(SHAPE(4));
    assert_null(tensor_drop_tokens(NULL, &dropout));
    assert_null(tensor_gelu_drop(NULL, &dropout));
    assert_null(tensor_add_drop(x, NULL, &dropout));
    assert_null(tensor_add_norm(NULL, x, &dropout, three, three, 0.01));
    assert_null(tensor_attention(NULL, 1, &dropout));
    assert_int_equal(tape_status(&fixture.tape), KNACK_OK);
    assert_null(tensor_add_drop(x, wide, &dropout));
    assert_failure(&fixture, KNACK_E_SHAPE, "tensor_add_drop: shapes [2, 3] and [2, 4] differ");
    assert_null(tensor_add_norm(x, wide, &dropout, three, three, 0.01));
    assert_failure(&fixture, KNACK_E_SHAPE, "tensor_add_norm: shapes [2, 3] and [2, 4] differ");
    assert_null(tensor_add_norm(x, x, &dropout, three, four, 0.01));
    assert_failure(&fixture, KNACK_E_SHAPE, "tensor_add_norm: gamma and beta need 3 values each");
    assert_null(tensor_attention(wide, 1, &dropout));
    assert_failure(&fixture, KNACK_E_SHAPE, "attention: [2, 4] are not queries, keys and values of 2 tokens in 1 heads");
    assert_null(tensor_attention(noise(SHAPE(2, 9)), 2, &dropout));
    assert_failure(&fixture, KNACK_E_SHAPE, "attention: [2, 9] are not queries, keys and values of 2 tokens in 2 heads");
    assert_null(tensor_attention(noise(SHAPE(3, 6)), 2, &dropout));
    assert_failure(&fixture, KNACK_E_SHAPE, "attention: [3, 6] are not queries, keys and values of 2 tokens in 2 heads");
}

/* What x was is gone, and its gradient adds to the one that is there. */
static void a_gelu_adds_to_a_gradient(void **state)
{
    (void)state;
    const struct token_dropout dropout = dropout_of(sequences(REALS(1, 2), SHAPE(1, 2)), 0.5);
    knack_real gradient[2][6] = {{0}, {1, 2, 3, 4, 5, 6}}, value[2][6] = {{-2, -1, 0, 0.5, 1, 2}, {-2, -1, 0, 0.5, 1, 2}};
    for (uint8_t touched = 0; touched < 2; touched++) {
        uint8_t mark = touched;
        knack_tensor *x = tape_leaf(&fixture.tape, SHAPE(2, 3), value[touched], gradient[touched], &mark);
        backward(tensor_gelu_drop(x, &dropout), REALS(1, -1, 1, -1, 1, -1));
    }
    for (int i = 0; i < 6; i++) assert_true(fabs((double)(gradient[1][i] - gradient[0][i]) - (i + 1)) < 1e-5);
}

/* ---- Attention ---- */

static const struct token_dropout *no_dropout(const struct sequences *s)
{
    static struct token_dropout dropout;
    dropout = (struct token_dropout){.sequences = s};
    return &dropout;
}

static void a_token_alone_attends_to_itself(void **state)
{
    (void)state;
    const struct sequences *s = sequences(REALS(0, 4, 0, 5, 0, 0), SHAPE(2, 3));
    knack_tensor *qkv = noise(SHAPE(2, 12)), *out = tensor_attention(qkv, 2, no_dropout(s));
    const knack_real *x = qkv->data;
    assert_shape(out, SHAPE(2, 4));
    assert_reals(out->data, REALS(x[8], x[9], x[10], x[11], x[20], x[21], x[22], x[23]), 8);
}

static void where_nothing_is_asked_for_the_mean_comes(void **state)
{
    (void)state;
    const struct sequences *s = sequences(REALS(1, 2, 3, 0), SHAPE(2, 2));
    knack_tensor *qkv = constant(&fixture, REALS(0, 9, 1, 0, -5, 3, 0, 7, 5), SHAPE(3, 3));
    assert_reals(knack_data(tensor_attention(qkv, 1, no_dropout(s))), REALS(2, 2, 5), 3);
}

/* Only what a token's own sequence holds counts, to the bit, and NaN does not get out of it. */
static void sequences_do_not_see_each_other(void **state)
{
    (void)state;
    const struct sequences *s = sequences(REALS(1, 2, 3, 0, 4, 5, 6, 7, 8), SHAPE(3, 3));
    const size_t token = 4 * sizeof(knack_real);
    knack_tensor *qkv = noise(SHAPE(8, 12));
    knack_real *data = qkv->data;
    const char *before = knack_data(tensor_attention(qkv, 2, no_dropout(s)));
    data[4 * 12 + 2] = NAN; /* in the query of the second sequence's last token */
    const char *after = knack_data(tensor_attention(qkv, 2, no_dropout(s)));
    assert_bits(after, before, 4 * token);
    assert_bits(after + 5 * token, before + 5 * token, 3 * token);
    const knack_real *spoilt = (const knack_real *)(const void *)(after + 4 * token);
    assert_true(!isnan(spoilt[0]) && isnan(spoilt[2]) && isnan(spoilt[3])); /* of the head it is in */
}

static void first_tokens_alone_come_out_the_same(void **state)
{
    (void)state;
    const struct sequences *s = sequences(REALS(0, 1, 2, 0, 3, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 1), SHAPE(3, LONG));
    knack_tensor *qkv = noise(SHAPE(10, 30));
    for (int way = 0; way < 2; way++) {
        struct token_dropout dropout = dropout_of(s, way ? 0.4 : 0);
        knack_tensor *all = tensor_attention(qkv, 5, &dropout);
        dropout.first_only = true;
        knack_tensor *first = tensor_attention(qkv, 5, &dropout);
        assert_shape(first, SHAPE(3, 10));
        assert_bits(first->data, knack_data(tensor_first_tokens(s, all)), 30 * sizeof(knack_real));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_lie_one_behind_the_other),
        cmocka_unit_test(without_a_padding_id_all_are_tokens),
        cmocka_unit_test(what_is_no_id_is_refused),
        cmocka_unit_test(what_is_no_row_of_ids_is_refused),
        cmocka_unit_test(an_embedding_is_a_sum_of_two_rows),
        cmocka_unit_test(rows_have_zeros_for_padding),
        cmocka_unit_test(without_padding_rows_are_the_same_numbers),
        cmocka_unit_test(a_row_gives_its_first_token_or_the_mean),
        cmocka_unit_test(a_mask_is_that_of_row_and_place),
        cmocka_unit_test(a_mask_knows_no_other_rows),
        cmocka_unit_test(threads_change_no_mask),
        cmocka_unit_test(the_fused_are_what_they_are_made_of),
        cmocka_unit_test(what_is_dropped_of_nothing_is_the_operand),
        cmocka_unit_test(operands_that_do_not_fit_are_refused),
        cmocka_unit_test(a_gelu_adds_to_a_gradient),
        cmocka_unit_test(a_token_alone_attends_to_itself),
        cmocka_unit_test(where_nothing_is_asked_for_the_mean_comes),
        cmocka_unit_test(sequences_do_not_see_each_other),
        cmocka_unit_test(first_tokens_alone_come_out_the_same),
    };
    return cmocka_run_group_tests_name("sequences", tests, open_fixture, close_fixture);
}
