/* What a comparison would take, for `knack compare --dry-run`. */
#ifndef CLI_SHOW_FORECAST_H
#define CLI_SHOW_FORECAST_H

#include "cli/console.h"
#include "compare/forecast.h"

knack_status show_forecast(const struct console *, const struct forecast *);

#endif
