/* The cells: for every promise the truths under which it is hardest to keep. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rule.h"

static const int64_t sizes[] = {5, 10, 20};
enum { SIZES = 3 };

/* A list that grows; the cell as it was given, with a name. */
struct list {
    struct cell *cell;
    int64_t count;
};

static void add(struct list *list, struct cell cell, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add(struct list *list, struct cell cell, const char *format, ...)
{
    va_list words;
    va_start(words, format);
    vsnprintf(cell.name, sizeof cell.name, format, words);
    va_end(words);
    if (cell.arms == 0) cell.arms = 1;
    if (cell.worst == 0) cell.worst = 20;
    for (int i = 0; i < 2; i++)
        if (cell.kind[i].passes == 0) cell.kind[i].passes = 1;
    for (int i = 0; i < 2; i++)
        if (cell.kind[i].cpu == 0) cell.kind[i].cpu = NAN;
    list->cell[list->count++] = cell;
}

static struct cell every(struct cell cell, struct kind_of_arm kind)
{
    cell.kind[0] = cell.kind[1] = kind;
    return cell;
}

static const char *tail(bool heavy)
{
    return heavy ? "t(3)" : "normal";
}

/* ---- Plans without looks ---- */

static void fixed(struct list *list)
{
    static const double rate[] = {0, .05, .2};
    for (int n = 0; n < SIZES; n++)
        for (int heavy = 0; heavy < 2; heavy++)
            for (int f = 0; f < 3; f++) {
                struct cell cell = {.seeds = sizes[n], .heavy = heavy, .fails = {rate[f], rate[f]}};
                add(list, cell, "%d seeds; %s; failures %g %% in both", (int)sizes[n], tail(heavy), 100 * rate[f]);
            }
}

/* The arm's trials fail, or the baseline's. What trains does as well, or better, or worse. */
static void failures(struct list *list)
{
    static const double rate[] = {.05, .2}, effect[] = {0, .5, -.5};
    for (int n = 0; n < SIZES; n++)
        for (int f = 0; f < 2; f++)
            for (int side = 0; side < 2; side++)
                for (int e = 0; e < 3; e++) {
                    struct cell cell = every((struct cell){.seeds = sizes[n]}, (struct kind_of_arm){.effect = effect[e]});
                    cell.fails[side] = rate[f];
                    add(list, cell, "%d seeds; %s fails in %g %%; effect %g of trials that train", (int)sizes[n], side ? "arm" : "baseline",
                        100 * rate[f], effect[e]);
                }
    for (int n = 1; n < SIZES; n++) {
        struct cell near = {.seeds = sizes[n], .fails = {.2, .2}, .worst = 3};
        struct cell far = every((struct cell){.seeds = sizes[n], .fails = {.2, .2}, .worst = 60}, (struct kind_of_arm){.effect = 3});
        add(list, near, "%d seeds; failures 20 %% in both at a score near the others", (int)sizes[n]);
        struct cell many = {.seeds = sizes[n], .arms = 5, .fails = {0, .2}, .worst = 6};
        add(list, far, "%d seeds; failures 20 %% in both; effect 3", (int)sizes[n]);
        add(list, many, "%d seeds; 5 arms that fail in 20 %%", (int)sizes[n]);
    }
}

/* A margin that single intervals hardly fit into, and a wide one. */
static void margins(struct list *list)
{
    for (int n = 0; n < SIZES; n++)
        for (int heavy = 0; heavy < 2; heavy++)
            for (int wide = 0; wide < 2; wide++)
                for (int below = 0; below < 2; below++) {
                    double margin = (wide ? 8 : 2.2) / sqrt((double)sizes[n]);
                    struct cell cell = every((struct cell){.seeds = sizes[n], .heavy = heavy, .margin = margin},
                                             (struct kind_of_arm){.effect = below ? -margin : margin});
                    add(list, cell, "%d seeds; %s; %s margin; effect %s margin", (int)sizes[n], tail(heavy), wide ? "wide" : "narrow",
                        below ? "minus the" : "of the");
                }
}

static void families(struct list *list)
{
    static const int64_t arms[] = {5, 20, 40};
    for (int m = 0; m < 3; m++)
        for (int heavy = 0; heavy < 2; heavy++) {
            struct cell cell = {.seeds = 10, .arms = arms[m], .heavy = heavy};
            add(list, cell, "%d arms on one baseline; 10 seeds; %s", (int)arms[m], tail(heavy));
        }
    for (int m = 0; m < 2; m++) {
        struct cell half = {.seeds = 10, .arms = arms[m], .kind = {{.effect = 4}, {.effect = 0}}};
        struct cell margin = every((struct cell){.seeds = 10, .arms = arms[m], .margin = .7}, (struct kind_of_arm){.effect = .7});
        struct cell failing = {.seeds = 10, .arms = arms[m], .fails = {.05, .05}};
        add(list, half, "%d arms on one baseline; 10 seeds; every other one helps", (int)arms[m]);
        add(list, margin, "%d arms on one baseline; 10 seeds; effect of the margin", (int)arms[m]);
        add(list, failing, "%d arms on one baseline; 10 seeds; failures 5 %% in all", (int)arms[m]);
    }
}

/* ---- Equal cost ---- */

static const struct {
    const char *name;
    double passes, cpu;
} costs[] = {{"2 passes", 2, NAN}, {"CPU time x1.9", 1, 1.9}, {"half the passes", .5, NAN}};
enum { COSTS = 3 };

/* The truth at equal updates and at equal cost; the baseline at that cost is better by the difference. */
static struct cell with_cost(struct cell cell, int cost, double updates, double equal)
{
    *(costs[cost].passes < 1 ? &cell.loss : &cell.gain) = updates - equal;
    return every(cell, (struct kind_of_arm){updates, costs[cost].passes, costs[cost].cpu});
}

static void equal_cost(struct list *list)
{
    static const double truth[][2] = {{0, 0}, {2, 0}, {0, 2}, {0, -2}, {2, -2}, {-2, 0}};
    for (int c = 0; c < COSTS; c++)
        for (size_t t = 0; t < sizeof truth / sizeof *truth; t++)
            for (int n = 0; n < (t < 3 ? SIZES : 1); n++) {
                int64_t seeds = t < 3 ? sizes[n] : 10;
                add(list, with_cost((struct cell){.seeds = seeds}, c, truth[t][0], truth[t][1]),
                    "%s; %d seeds; effect %g at equal updates and %g at equal cost", costs[c].name, (int)seeds, truth[t][0], truth[t][1]);
            }
    for (int t = 0; t < 3; t++) {
        double updates = truth[t][0], equal = truth[t][1];
        add(list, with_cost((struct cell){.seeds = 10, .heavy = true}, 0, updates, equal),
            "2 passes; 10 seeds; t(3); effect %g at equal updates and %g at equal cost", updates, equal);
        add(list, with_cost((struct cell){.seeds = 10, .fails = {.05, .05}}, 0, updates, equal),
            "2 passes; 10 seeds; failures 5 %%; effect %g at equal updates and %g at equal cost", updates, equal);
        add(list, with_cost((struct cell){.seeds = 10, .arms = 5}, 0, updates, equal),
            "5 arms of 2 passes; 10 seeds; effect %g at equal updates and %g at equal cost", updates, equal);
    }
}

static void equal_cost_margin(struct list *list)
{
    static const double truth[][2] = {{1, 1}, {0, 1}, {1, 0}, {3, 1}, {1, 3}, {-1, -1}, {0, -1}};
    for (int wide = 0; wide < 2; wide++)
        for (size_t t = 0; t < sizeof truth / sizeof *truth; t++) {
            double margin = wide ? 2.5 : .7;
            add(list, with_cost((struct cell){.seeds = 10, .margin = margin}, 0, truth[t][0] * margin, truth[t][1] * margin),
                "2 passes; 10 seeds; %s margin; effect %g margins at equal updates and %g at equal cost", wide ? "wide" : "narrow",
                truth[t][0], truth[t][1]);
        }
}

/* Dear arms that gain what longer training gains, and cheap ones that lose what shorter training loses nothing of. */
static void mixed_costs(struct list *list)
{
    for (int64_t arms = 2; arms <= 20; arms *= arms == 2 ? 2 : 5) {
        struct cell cell = {.seeds = 10, .arms = arms, .gain = 4, .loss = -4, .kind = {{4, 2, NAN}, {0, .5, NAN}}};
        struct cell plain = {.seeds = 10, .arms = arms, .gain = 4, .kind = {{4, 2, NAN}, {0, 1, NAN}}};
        add(list, cell, "%d arms; dear ones gain what longer training gains and cheap ones nothing", (int)arms);
        add(list, plain, "%d arms; dear ones gain what longer training gains and others nothing", (int)arms);
    }
}

/* ---- Looks and any time ---- */

static const struct {
    const char *name;
    enum stopping stopping;
    int64_t look[LOOKS_MOST], looks, seeds;
} plans[] = {{"looks 6 10 15 20", STOP_LOOKS, {6, 10, 15, 20}, 4, 20},
             {"looks 5 9 14", STOP_LOOKS, {5, 9, 14}, 3, 14},
             {"until decided", STOP_DECIDED, {0}, 0, 30}};
enum { PLANS = 3 };

static struct cell with_plan(struct cell cell, int plan)
{
    cell.stopping = plans[plan].stopping;
    cell.seeds = plans[plan].seeds;
    cell.looks = plans[plan].looks;
    memcpy(cell.look, plans[plan].look, sizeof cell.look);
    return cell;
}

static void looks(struct list *list)
{
    static const double rate[] = {0, .05, .2}, effect[] = {.5, 1};
    for (int p = 0; p < PLANS; p++) {
        const char *name = plans[p].name;
        for (int heavy = 0; heavy < 2; heavy++)
            for (int f = 0; f < (heavy ? 1 : 3); f++)
                add(list, with_plan((struct cell){.heavy = heavy, .fails = {rate[f], rate[f]}}, p), "%s; %s; failures %g %% in both", name,
                    tail(heavy), 100 * rate[f]);
        for (int e = 0; e < 2; e++)
            add(list, with_plan(every((struct cell){0}, (struct kind_of_arm){.effect = effect[e]}), p), "%s; effect %g", name, effect[e]);
        for (int side = 0; side < 2; side++) {
            struct cell cell = {0};
            cell.fails[side] = .2;
            add(list, with_plan(cell, p), "%s; %s fails in 20 %%", name, side ? "arm" : "baseline");
            cell.worst = 4;
            add(list, with_plan(cell, p), "%s; %s fails in 20 %% at a score near the others", name, side ? "arm" : "baseline");
            cell.fails[side] = .5;
            add(list, with_plan(cell, p), "%s; %s fails in 50 %% at a score near the others", name, side ? "arm" : "baseline");
        }
        for (int m = 0; m < 3; m++) {
            double margin = m == 0 ? .5 : m == 1 ? 1 : 3;
            struct cell cell = every((struct cell){.margin = margin}, (struct kind_of_arm){.effect = margin});
            add(list, with_plan(cell, p), "%s; effect of the margin %g", name, margin);
        }
        for (int t = 0; t < 3; t++)
            add(list, with_plan(with_cost((struct cell){0}, t == 2 ? 1 : 0, t == 1 ? 0 : 2, t == 1 ? 2 : 0), p),
                "%s; %s; effect %d at equal updates and %d at equal cost", name, costs[t == 2 ? 1 : 0].name, t == 1 ? 0 : 2,
                t == 1 ? 2 : 0);
        add(list, with_plan(with_cost((struct cell){.margin = 1}, 0, 0, 1), p), "%s; 2 passes; effect of the margin at equal cost", name);
        add(list, with_plan((struct cell){.arms = 5}, p), "%s; 5 arms", name);
        if (p < 2) add(list, with_plan((struct cell){.arms = 20}, p), "%s; 20 arms", name);
    }
}

/* ---- Plans that go on ---- */

static void extensions(struct list *list)
{
    static const int64_t steps[][3] = {{10, 20}, {5, 10, 20}};
    for (int s = 0; s < 2; s++)
        for (int what = 0; what < 5; what++) {
            struct cell cell = {.way = WAY_EXTEND, .seeds = steps[s][0], .later = {steps[s][1], steps[s][2]}, .heavy = what == 1};
            if (what == 2) cell = every(cell, (struct kind_of_arm){.effect = cell.margin = .5});
            if (what == 3) cell = with_cost(cell, 0, 2, 0);
            if (what == 4) cell.arms = 5;
            static const char *const words[] = {"normal", "t(3)", "effect of the margin", "2 passes; effect 2 at equal updates only",
                                                "5 arms"};
            add(list, cell, "extended %s; %s", s ? "5 10 20" : "10 20", words[what]);
        }
}

static void screenings(struct list *list)
{
    static const int64_t arms[] = {5, 20, 40};
    for (int m = 0; m < 3; m++)
        add(list, (struct cell){.way = WAY_SCREEN, .seeds = 5, .arms = arms[m]}, "screening of %d; best 3 confirmed", (int)arms[m]);
    add(list, every((struct cell){.way = WAY_SCREEN, .seeds = 5, .arms = 20, .margin = 1}, (struct kind_of_arm){.effect = 1}),
        "screening of 20; best 3 confirmed; effect of the margin");
    add(list, with_cost((struct cell){.way = WAY_SCREEN, .seeds = 5, .arms = 5}, 0, 2, 0),
        "screening of 5; best 3 confirmed; 2 passes; effect 2 at equal updates and 0 at equal cost");
}

static void convergence(struct list *list)
{
    for (int n = 0; n < SIZES; n++) {
        add(list, (struct cell){.seeds = sizes[n], .converge = true}, "%d seeds; the baseline is done", (int)sizes[n]);
        add(list, (struct cell){.seeds = sizes[n], .converge = true, .heavy = true}, "%d seeds; t(3); the baseline is done", (int)sizes[n]);
    }
}

static void transfers(struct list *list)
{
    static const double share[][2] = {{.1, .3}, {.3, .1}, {0, .5}, {.05, 0}};
    for (int n = 0; n < SIZES; n++) {
        for (int s = 0; s < 4; s++) {
            struct cell cell = {.way = WAY_TRANSFER, .seeds = sizes[n], .examples = 100, .by_seed = share[s][0], .by_example = share[s][1]};
            add(list, cell, "transfer; %d seeds; 100 examples; deviations %g by seed and %g by example", (int)sizes[n], share[s][0],
                share[s][1]);
            cell.heavy = true;
            if (s == 0) add(list, cell, "transfer; %d seeds; 100 examples; seeds t(3)", (int)sizes[n]);
        }
        struct cell right = {.way = WAY_TRANSFER, .seeds = sizes[n], .examples = 200, .by_seed = .1, .by_example = .7, .right = true};
        add(list, right, "transfer; %d seeds; 200 examples right or wrong", (int)sizes[n]);
    }
    for (int p = 0; p < 2; p++)
        add(list, with_plan((struct cell){.way = WAY_TRANSFER, .examples = 100, .by_seed = .1, .by_example = .3}, p),
            "transfer; %s; 100 examples", plans[p].name);
}

int64_t cells_make(struct cell cell[CELLS_MOST])
{
    struct list list = {cell, 0};
    fixed(&list);
    margins(&list);
    families(&list);
    equal_cost(&list);
    equal_cost_margin(&list);
    mixed_costs(&list);
    failures(&list);
    looks(&list);
    extensions(&list);
    screenings(&list);
    convergence(&list);
    transfers(&list);
    return list.count;
}
