/* Loops that compilers vectorise, compiled for several levels of x86-64; the one that fits is picked when the plugin is loaded. */
#ifndef PLUGINS_COMMON_VECTOR_H
#define PLUGINS_COMMON_VECTOR_H

/* VECTOR before a function. The picking runs before sanitizers are ready, and clang 14 has no such thing. */
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VECTOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTOR
#endif

#endif
