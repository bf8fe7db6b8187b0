/* Scales, ticks, texts, labels and lines of charts. */
#include "base/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "draw/chart.h"
#include "draw/drawing.h"

static double uniform(uint64_t key, uint64_t i)
{
    return random_uniform(key, (struct random_place){0, 0, 0}, i);
}

/* ---- Scales ---- */

static void assert_ticks(struct scale scale, int most, const char *expected)
{
    struct ticks ticks = scale_ticks(&scale, most);
    char all[256] = "", one[64];
    for (int i = 0; i < ticks.count; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? " " : "", scale_text(one, ticks.value[i], ticks.decimals, false));
    assert_string_equal(all, expected);
}

static void test_ticks(void **state)
{
    (void)state;
    assert_ticks((struct scale){.low = 0, .high = 1}, 6, "0.0 0.2 0.4 0.6 0.8 1.0");
    assert_ticks((struct scale){.low = 0, .high = 1}, 5, "0.0 0.5 1.0");
    assert_ticks((struct scale){.low = 84.3, .high = 90.1}, 7, "85 86 87 88 89 90");
    assert_ticks((struct scale){.low = -0.31, .high = 0.12}, 5,
                 "\xE2\x88\x92"
                 "0.3 \xE2\x88\x92"
                 "0.2 \xE2\x88\x92"
                 "0.1 0.0 0.1");
    assert_ticks((struct scale){.low = 1e-9, .high = 3e-9}, 4, "1e\xE2\x88\x92\x39 2e\xE2\x88\x92\x39 3e\xE2\x88\x92\x39");
}

static void test_logarithmic_ticks(void **state)
{
    (void)state;
    assert_ticks((struct scale){.log = true, .low = .9, .high = 4.2}, 8, "1.0 1.2 1.5 2.0 2.5 3.0 4.0");
    assert_ticks((struct scale){.log = true, .low = .9, .high = 4.2}, 3, "1 2 3");
    assert_ticks((struct scale){.log = true, .low = .98, .high = 1.07}, 5, "0.98 1.00 1.02 1.04 1.06");
    assert_ticks((struct scale){.log = true, .low = 1, .high = 1000}, 4, "1 10 100 1000");
    assert_ticks((struct scale){.log = true, .low = 1e-9, .high = 1e9}, 4, "1e\xE2\x88\x92\x39 0.0001 10 1e6");
}

/* Whatever the scale: ticks ascend, are within, not too many, and their texts differ. */
static void test_ticks_of_any_scale(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 5000; i++) {
        double size = pow(10, 24 * uniform(1, i) - 12), low = size * (uniform(2, i) - .5), width = size * pow(10, -4 * uniform(3, i));
        struct scale scale = {.low = low, .high = low + width, .from = 0, .to = 100};
        if (i % 3 == 0) scale = (struct scale){.log = true, .low = size, .high = size * pow(10, 6 * uniform(4, i) + .05), .to = 100};
        int most = 2 + (int)(i % 9);
        struct ticks ticks = scale_ticks(&scale, most);
        assert_true(ticks.count <= most);
        char last[64] = "", text[64];
        for (int t = 0; t < ticks.count; t++) {
            double at = scale_at(&scale, ticks.value[t]);
            assert_true(at > -1e-3 && at < 100.001);
            assert_true(t == 0 || ticks.value[t] > ticks.value[t - 1]);
            assert_string_not_equal(scale_text(text, ticks.value[t], ticks.decimals, false), last);
            strcpy(last, text);
        }
    }
}

static void test_ranges(void **state)
{
    (void)state;
    struct range range = range_padded(RANGE_EMPTY, .1);
    assert_true(range.low < range.high);
    range = RANGE_EMPTY;
    range_add(&range, NAN);
    range_add(&range, INFINITY);
    range_add(&range, 3);
    range = range_padded(range, .1);
    assert_true(range.low < 3 && range.high > 3);
    range_add(&range, 5);
    range = range_padded((struct range){3, 5}, .1);
    assert_float_equal(range.low, 2.8, 1e-5);
    assert_float_equal(range.high, 5.2, 1e-5);
    range = range_padded_log((struct range){1, 1}, .1);
    assert_true(range.low < 1 && range.high > 1);
    struct scale scale = {.log = true, .low = 1, .high = 4, .from = 0, .to = 100};
    assert_float_equal(scale_at(&scale, 2), 50, 1e-4);
    scale = (struct scale){.low = -1, .high = 1, .from = 200, .to = 100};
    assert_float_equal(scale_at(&scale, 0), 150, 1e-4);
}

static void test_texts_of_values(void **state)
{
    (void)state;
    char buffer[64];
    assert_string_equal(scale_text(buffer, 0.5, 2, true), "+0.50");
    assert_string_equal(scale_text(buffer, -0.001, 2, true), "0.00");
    assert_string_equal(scale_text(buffer, -0.001, 2, false), "0.00");
    assert_string_equal(scale_text(buffer, -1.25, 1, false), "\xE2\x88\x92"
                                                             "1.3");
    assert_string_equal(scale_text(buffer, NAN, 1, false), "\xE2\x80\x93");
    assert_string_equal(scale_text(buffer, INFINITY, 1, false), "\xE2\x88\x9E");
}

/* ---- Texts and labels ---- */

static void test_widths(void **state)
{
    (void)state;
    char buffer[64];
    assert_float_equal(label_width("i"), 3.336, 1e-4);
    assert_true(label_width("WWWW") > label_width("iiii"));
    assert_true(label_width_bold("mixup") > label_width("mixup"));
    assert_string_equal(label_shorten(buffer, sizeof buffer, "mixup", 100), "mixup");
    assert_string_equal(label_shorten(buffer, sizeof buffer, "label smoothing", 50), "label\xE2\x80\xA6");
    assert_string_equal(label_shorten(buffer, 8, "label-smoothing", 500), "labe\xE2\x80\xA6");
    assert_string_equal(label_shorten(buffer, sizeof buffer, "mixup", 0), "\xE2\x80\xA6");
    for (uint64_t i = 0; i < 500; i++) {
        char name[40];
        size_t length = 1 + (size_t)(30 * uniform(7, i));
        for (size_t k = 0; k < length; k++) name[k] = (char)(' ' + (int)(94 * uniform(100 + i, k)));
        name[length] = '\0';
        double room = 15 + 200 * uniform(8, i);
        assert_true(label_width(label_shorten(buffer, sizeof buffer, name, room)) <= room);
        assert_true(label_line(name, room) >= 1);
    }
    assert_int_equal(label_line("two words", label_width("two wor")), 3);
    assert_int_equal(label_line("undivided", label_width("undi") + .01), 4);
}

/* Labels of random points never meet each other, nor a mark, and stay within bounds. */
static void test_labels_do_not_collide(void **state)
{
    (void)state;
    const struct boxes none = {0};
    for (uint64_t round = 0; round < 300; round++) {
        int count = 1 + (int)(25 * uniform(20, round));
        double spread = round % 2 ? 1 : .08; /* all over the place, or crowded */
        struct box bounds = {0, 0, 300, 260}, place;
        struct boxes taken = {0};
        double x[32], y[32];
        for (int i = 0; i < count; i++) {
            x[i] = 150 + 290 * spread * (uniform(1000 + round, (uint64_t)i) - .5);
            y[i] = 130 + 250 * spread * (uniform(3000 + round, (uint64_t)i) - .5);
            boxes_add(&taken, (struct box){x[i] - 5, y[i] - 5, x[i] + 5, y[i] + 5});
        }
        for (int i = 0; i < count; i++) {
            double width = 8 + 12 * uniform(5000 + round, (uint64_t)i);
            if (!label_place(&taken, &none, x[i], y[i], width, bounds, &place)) fail_msg("no place for label %d of %d", i, count);
            assert_false(boxes_meet(&taken, place));
            assert_float_equal(place.right - place.left, width, 1e-3);
            assert_true(place.left >= 0 && place.right <= 300 && place.top >= 0 && place.bottom <= 260);
            boxes_add(&taken, place);
        }
        boxes_free(&taken);
    }
    struct box place, near = {0, 0, 0, 0};
    assert_false(label_place(&none, &none, 5, 5, 100, (struct box){0, 0, 50, 50}, &place)); /* there is no room at all */
    /* What may be covered is covered only where else the label would be far away. */
    struct boxes line = {0}, lines = {0};
    boxes_add(&line, (struct box){100, 99, 300, 101});
    assert_true(label_place(&none, &line, 100, 100, 20, (struct box){0, 0, 300, 300}, &place));
    assert_false(boxes_meet(&line, place));
    boxes_add(&lines, (struct box){0, 0, 250, 300});
    assert_true(label_place(&none, &lines, 100, 100, 20, (struct box){0, 0, 300, 300}, &near));
    assert_true(near.left >= 107 && near.left <= 109);
    boxes_free(&line);
    boxes_free(&lines);
}

/* ---- SVG ---- */

static void test_escapes(void **state)
{
    (void)state;
    struct growing svg = {0};
    markup_put(&svg, "<text x=\"%g\" y=\"%g\" z=\"%g\"><title>%s</title>%d %% of %lld</text>\n", 1.25, -0.01, NAN,
               "<a & \"b\">\n'\xFF\x02\x7f\xc2\x85", 3, 4000000000LL);
    char *text = growing_take(&svg);
    assert_string_equal(text, "<text x=\"1.3\" y=\"0\" z=\"0\"><title>&lt;a &amp; &quot;b&quot;&gt;\n&#39;"
                              "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD</title>3 % of 4000000000</text>\n");
    assert_null(drawing_flaw(text));
    memory_free(text);
    markup_raw(&svg, NULL);
    assert_null(growing_take(&svg));
}

static struct panel square(void)
{
    return (struct panel){{0, 0, 100, 100}, {.low = 0, .high = 10, .from = 0, .to = 100}, {.low = 0, .high = 10, .from = 100, .to = 0}};
}

static void assert_drawn(struct chart *chart, const char *body)
{
    char *svg = chart_end(chart, 100, "n");
    assert_non_null(svg);
    assert_null(drawing_flaw(svg));
    char *begin = strstr(svg, ">\n") + 2;
    begin[strlen(begin) - strlen("</svg>\n")] = '\0';
    assert_string_equal(begin, body);
    memory_free(svg);
}

static void test_curves_are_cut(void **state)
{
    (void)state;
    struct chart chart;
    struct panel panel = square();
    chart_begin(&chart, true);
    const double x[] = {0, 2, 4, 6, 8, 10}, y[] = {5, 15, 5, NAN, 5, 6};
    chart_curve(&chart, "line arm", &panel, (struct series){x, y, 6, 1}, NULL);
    assert_drawn(&chart, "<path class=\"line arm\" d=\"M0 50L10 0M30 0L40 50M80 50L100 40\"/>\n");
    chart_begin(&chart, true);
    const double high[] = {50, 60, 70, 80, 90, 100};
    chart_curve(&chart, "line arm", &panel, (struct series){x, high, 6, 1}, NULL); /* all of it is above */
    chart_curve(&chart, "line arm", &panel, (struct series){x, high, 1, 1}, NULL); /* a point is no line */
    assert_drawn(&chart, "");
    chart_begin(&chart, true);
    chart_area(&chart, "area arm", &panel, (struct series){x, y, 6, 1}, (struct series){x, high, 6, 1}, NULL);
    assert_drawn(&chart, "<path class=\"area arm\" d=\"M0 0L20 0L40 0L40 50L20 0L0 50ZM80 0L100 0L100 40L80 50Z\"/>\n");
}

static void test_spans(void **state)
{
    (void)state;
    struct chart chart;
    struct panel panel = square();
    chart_begin(&chart, true);
    chart_span_x(&chart, "thin arm", &panel, 2, 4, 50, NULL);
    chart_span_x(&chart, "thin arm", &panel, NAN, 4, 50, NULL);
    chart_rule_x(&chart, "zero", &panel, -1); /* not on the panel */
    assert_drawn(&chart, "<line class=\"thin arm\" x1=\"20\" y1=\"50\" x2=\"40\" y2=\"50\"/>\n");
    chart_begin(&chart, true);
    chart_span_x(&chart, "thin arm", &panel, -INFINITY, 20, 50, NULL);
    assert_drawn(&chart, "<line class=\"thin arm\" x1=\"0\" y1=\"50\" x2=\"100\" y2=\"50\"/>\n"
                         "<polyline class=\"line arm\" points=\"5,54 0,50 5,46\"/>\n"
                         "<polyline class=\"line arm\" points=\"95,46 100,50 95,54\"/>\n");
}

static void test_paragraphs_and_keys(void **state)
{
    (void)state;
    struct chart chart;
    chart_begin(&chart, true);
    double y = chart_heading(&chart, "A heading that is by far too long for a drawing of this width, so that it has to be cut", "note");
    y = chart_paragraph(&chart, "note", 8, y, 100, "words in several lines, and averyverylongwordthathasnoblankinit");
    struct key key[] = {{KEY_LINE, SHAPE_DOT, "line arm", "first"},
                        {KEY_MARK, SHAPE_UP, "solid arm", "second"},
                        {KEY_AREA, SHAPE_DOT, "area arm", "third with many words, which do not all have room in one line of the key"},
                        {KEY_MARK, SHAPE_CROSS, "line arm", "fourth"}};
    y = chart_key(&chart, y, key, 4);
    char *svg = chart_end(&chart, y, "texts");
    assert_null(drawing_flaw(svg));
    assert_null(drawing_collision(svg));
    assert_true(drawing_says(svg, "fourth"));
    memory_free(svg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_logarithmic_ticks),
        cmocka_unit_test(test_ticks_of_any_scale),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_texts_of_values),
        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_labels_do_not_collide),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_curves_are_cut),
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_paragraphs_and_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
