/* Names of what a plan is made of, in the order of their enums. */
#include "compare/plan/plan.h"

const char *const design_name[] = {"one", "ablation", "factorial", "fraction", "screen", NULL};
const char *const stopping_name[] = {"fixed", "adaptive", "until-decided", NULL};
const char *const role_name[] = {"tuning", "screening", "verdict", "confirmation", NULL};
const char *const on_name[] = {"test", "validation", NULL};
const char *const arm_kind_name[] = {"baseline", "treated", "budget", NULL};
const char *const contrast_kind_name[] = {"arm", "left out", "rest", "main", "interaction", NULL};
