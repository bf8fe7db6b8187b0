/* Distribution functions: normal, Student's t, chi squared, binomial, noncentral t. Relative accuracy 1e-10 or better unless said, up
 * to 10,000 degrees of freedom. df > 0, also infinite for t. NaN for what is outside of a function's domain, or NaN. */
#ifndef COMPARE_STATISTICS_DISTRIBUTIONS_H
#define COMPARE_STATISTICS_DISTRIBUTIONS_H

#include <stdint.h>

double normal_cdf(double z);
double normal_quantile(double p);
double t_cdf(double t, double df);
double t_two_sided(double t, double df); /* P(|T| >= |t|) */
double t_quantile(double p, double df);
double chi_squared_quantile(double p, double df);
double noncentral_t_cdf(double t, double df, double delta); /* absolute accuracy 1e-8 */
double binomial_cdf(int64_t k, int64_t n, double p);        /* P(X <= k) */

#endif
