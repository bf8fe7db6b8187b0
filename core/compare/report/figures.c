/* The list of figures, in the order of the page. */
#include "compare/report/figure_parts.h"

static const char *no_name(const struct analysis *analysis, int64_t item)
{
    (void)analysis;
    (void)item;
    return NULL;
}

const struct figure figures[] = {
    {
        .name = "paired",
        .title = "Runs of the same seed side by side",
        .text =
            "Left: each line joins two runs that share their seed, hence initial weights and order of data. Right: their differences, one "
            "dot each, with mean and 95 % confidence interval. Lines that all lean one way are what a real effect looks like.",
        .items = paired_items,
        .item_name = paired_name,
        .draw = paired_draw,
    },
    {
        .name = "forest",
        .title = "Effects with their intervals",
        .text = "A mark is the mean difference over seeds, the thick line its 95 % interval, the thin line an interval that holds for all "
                "rows at once. A verdict needs the adjusted p value below .05; the mark's shape says which it is.",
        .items = forest_items,
        .item_name = no_name,
        .draw = forest_draw,
    },
    {
        .name = "curves",
        .title = "Learning curves",
        .text =
            "Above: a faint line for each seed, a strong one for their mean. Below: the mean difference of the same seeds, with a 95 % t "
            "band that holds at each point by itself, not for the whole curve at once. Where there is no validation part it is the loss on "
            "training data, which means something else for tricks that change targets or mix examples.",
        .items = curves_items,
        .item_name = curves_name,
        .draw = curves_draw,
    },
    {
        .name = "cost",
        .title = "Cost against gain",
        .text = "To the right is dearer, upwards is better. The steps join what nothing cheaper beats; squares are the baseline itself, "
                "trained longer: a trick below their line buys less than more training does.",
        .items = cost_items,
        .item_name = no_name,
        .draw = cost_draw,
    },
    {
        .name = "interaction",
        .title = "Interactions",
        .text = "Parallel lines: the effects of two tricks add up. Lines that are not parallel: what one does depends on the other. Faint "
                "lines are single seeds.",
        .items = interaction_items,
        .item_name = interaction_name,
        .draw = interaction_draw,
    },
    {
        .name = "variance",
        .title = "Where the uncertainty comes from",
        .text = "Parts of the variance of the mean difference, were it to hold for new seeds and new test examples. A large part of seeds: "
                "more seeds help. A large part of examples: only a larger test set does.",
        .items = variance_items,
        .item_name = no_name,
        .draw = variance_draw,
    },
    {
        .name = "failures",
        .title = "Failed trials",
        .text = "A mark is the share of trials that failed, the line what rate is compatible with it at 95 %: no failure among few trials "
                "excludes little.",
        .items = failures_items,
        .item_name = no_name,
        .draw = failures_draw,
    },
    {.name = NULL},
};
