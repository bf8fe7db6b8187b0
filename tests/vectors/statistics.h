/* Computed in plain Python, and a second time with SciPy 1.10 / statsmodels 0.13 or an independent formula; to the digits shown, as text,
 * so that a test knows how many they are. */
/* clang-format off */
struct quantile_vector { double df; const char *t; };
static const struct quantile_vector t_quantiles_975[] = {
    {1, "12.706205"}, {2, "4.302653"}, {3, "3.182446"}, {4, "2.776445"}, {5, "2.570582"}, {7, "2.364624"}, {9, "2.262157"},
    {14, "2.144787"}, {19, "2.093024"}, {29, "2.045230"}};

/* What a paired t test gives. */
struct paired_vector { const char *mean, *sd, *t, *p, *low, *high; };

/* Five paired values. */
enum { FIVE = 5, TEN = 10 };
static const double five_base[FIVE] = {91.20, 90.85, 91.55, 91.05, 90.70}, five_arm[FIVE] = {91.75, 91.30, 91.80, 91.65, 91.35};
static const struct paired_vector five_paired = {".5", ".158113883", "7.071067812", ".002110645845", ".3036756839", ".6963243161"};
static const char *const five_se = ".07071067812", *const five_flip = ".0625", *const five_wilson = ".56551754",
                  *const five_next[] = {".0191056013", ".9808943987"}, *const five_correlation = ".8989362567", *const five_vrf = "6.46";

/* Ten differences, and the same as if from splits of one pool with a test quarter the size of the training set. */
static const double ten[TEN] = {7, -1, 13, 4, 11, 3, -2, 12, 11, 1};
static const struct paired_vector ten_paired = {"5.9", "5.646040894", "3.304517014", ".009163661571", "1.861065655", "9.938934345"};
static const struct paired_vector ten_resplit = {"5.9", "5.646040894", "1.766338642", ".1111463855", "-1.656154263", "13.45615426"};
static const char *const ten_flip = ".015625", *const ten_wilson[] = {".49016247", ".94331785"};

struct wilson_vector { double successes, n; const char *low, *high; };
static const struct wilson_vector wilson_vectors[] = {
    {0, 5, "0", ".43448246"}, {3, 5, ".23072428", ".88237923"}, {20, 20, ".83887484", "1"}, {95, 100, ".88824953", ".97845632"},
    {912, 1000, ".89282775", ".92801900"}};

/* Costs of four pairs of runs. */
static const double cost_base[] = {10.2, 10.5, 9.9, 10.1}, cost_arm[] = {15.1, 15.9, 14.8, 15.5};
static const char *const cost_ratio[] = {"1.505931999", "1.468920284", "1.543876281"}; /* value, bounds */

/* Family-wise and false discovery adjustments. */
static const double family_p[] = {.0041, .021, .038, .012, .31}, family_ties_p[] = {.03, .04, .045};
static const char *const family_holm[] = {".0205", ".063", ".076", ".048", ".31"}, *const family_bh[] = {".0205", ".035", ".0475", ".03", ".31"},
                  *const family_ties_holm[] = {".09", ".09", ".09"};

/* Of pairs, 8 with only the first and 21 with only the second. */
static const char *const mcnemar_8_21 = ".02411954477";

/* Differences of 4 seeds on 12 examples. */
enum { GRID_SEEDS = 4, GRID_EXAMPLES = 12 };
static const double grid[GRID_SEEDS * GRID_EXAMPLES] = {
    1, 0, 0, -1, 1, 0, 1, 0, 0, 0, 1, 0,
    0, 0, 1, 0, 1, 0, 1, 0, -1, 0, 0, 0,
    1, 0, 0, 0, 1, -1, 1, 0, 0, 0, 1, 0,
    0, 1, 0, -1, 1, 0, 0, 0, 0, 0, 1, 0};
static const char *const grid_mean = ".2083333333", *const grid_seed = ".02777777778", *const grid_example = ".8560606061",
                  *const grid_rest = ".1944444444", *const grid_variance = ".01436237374", *const grid_se = ".1198431214",
                  *const grid_df = "6.986637237", *const grid_t = "1.738383738", *const grid_p = ".1257865472",
                  *const grid_bounds[] = {"-.0751605290", ".4918271957"}, *const grid_seed_t = "8.660254038", *const grid_seed_p = ".003239037077";

/* A full factorial of two tricks, four seeds: neither, A, B, both. */
enum { SQUARE_SEEDS = 4 };
static const double square[SQUARE_SEEDS][4] = {
    {90.10, 90.60, 90.40, 91.20}, {89.80, 90.50, 90.00, 90.90}, {90.30, 90.60, 90.70, 91.50}, {89.90, 90.30, 90.35, 90.80}};
struct effect_vector { const char *block[SQUARE_SEEDS], *mean, *t, *p, *low, *high; };
static const struct effect_vector square_effects[] = { /* A, B, AB; NULL: not given */
    {{".65", ".8", ".55", ".425"}, ".60625", "7.6446709", ".0046480227", ".35387052", ".85862948"},
    {{NULL}, ".46875", "6.5361701", ".0072788585", NULL, NULL},
    {{".15", ".1", ".25", ".025"}, ".13125", "2.7815179", ".068903509", "-.018918392", ".28141839"}};
static const char *const square_a_without_b[] = {".475", ".011462433"}, *const square_a_with_b[] = {".7375", ".0049623119"}; /* mean, p */
static const double cube[8] = {60, 72, 54, 68, 52, 83, 45, 80}, cube_effects[8] = {64.25, 23, -5, 1.5, 1.5, 10, 0, .5}; /* Yates' order */

/* e-values of the first n of the five and of the ten. */
struct e_vector { bool ten; int64_t n; double g; const char *e; };
static const struct e_vector e_vectors[] = {
    {false, 2, 1, "1.698419"}, {false, 3, 1, "2.873552"}, {false, 4, 1, "6.515238"}, {false, 5, 1, "16.375991"}, {false, 5, 4, "45.463304"},
    {true, 5, 1, "2.86327"}, {true, 6, 1, "3.778937"}, {true, 10, 1, "9.491071"}};
struct e_boundary_vector { int64_t n; const char *bound; };
static const struct e_boundary_vector e_boundaries[] = { /* g 1, level 5 % */
    {5, "8.453"}, {6, "5.450"}, {8, "4.251"}, {10, "3.870"}, {15, "3.538"}, {20, "3.425"}, {30, "3.347"}};

/* The ten at looks 6 and 10 of 6, 10, 15, 20. */
struct look_vector { const char *t, *z, *w, *m; };
static const struct look_vector look_vectors[] = {
    {"2.887454488", "2.116662983", "1.351200155", "1.566505877"}, {"3.304517014", "2.605887270", "1.189207115", "2.191281264"}};
static const char *const look_first_p = ".03428846060", *const look_last_se = "1.785434899";
struct schedule_vector { int64_t looks, look[4]; const char *bound[4], *p[4]; double c[10]; }; /* c: at level_vectors */
static const double level_vectors[10] = {.2, .1, .05, .025, .0167, .0125, .01, .005, .0025, .001};
static const struct schedule_vector schedule_vectors[] = {
    {4, {6, 10, 15, 20}, {"5.085", "3.196", "2.589", "2.310"}, {".0038", ".0109", ".0214", ".0323"},
     {1.541, 1.860, 2.141, 2.395, 2.533, 2.629, 2.701, 2.914, 3.115, 3.370}},
    {4, {5, 10, 15, 20}, {"6.743", "3.186", "2.582", "2.304"}, {".0025", ".0111", ".0217", ".0327"},
     {1.538, 1.856, 2.136, 2.390, 2.529, 2.625, 2.698, 2.912, 3.113, 3.370}},
    {3, {4, 8, 12}, {"7.216", "3.014", "2.406"}, {".0055", ".0195", ".0349"},
     {1.507, 1.828, 2.110, 2.365, 2.505, 2.601, 2.673, 2.889, 3.091, 3.341}},
    {2, {6, 12}, {"3.667", "2.331"}, {".0145", ".0398"}, {1.432, 1.765, 2.056, 2.316, 2.458, 2.555, 2.629, 2.847, 3.052, 3.309}}};

/* Detectable effect and half the interval's width, in standard deviations of the difference. */
struct detectable_vector { int64_t n; const char *effect, *half; };
static const struct detectable_vector detectable_vectors[] = {
    {3, "3.264", "2.484"}, {4, "2.128", "1.591"}, {5, "1.682", "1.242"}, {6, "1.435", "1.049"}, {8, "1.156", ".836"}, {10, ".996", ".715"},
    {12, ".889", ".635"}, {15, ".778", ".554"}, {20, ".660", ".468"}, {30, ".529", ".373"}};
struct power_vector { int64_t n; double effect; const char *power; };
static const struct power_vector power_vectors[] = {{3, 2, ".4707"}, {5, 1, ".4014"}, {5, 1.5, ".7107"}, {8, 1, ".6808"}, {10, 1, ".8031"},
    {20, .5, ".5645"}, {30, .5, ".7540"}};
struct seeds_vector { double effect; int64_t n; };
static const struct seeds_vector seeds_vectors[] = {{.25, 128}, {.5, 34}, {.75, 16}, {1, 10}, {1.25, 8}, {1.5, 6}, {2, 5}, {3, 4}};
