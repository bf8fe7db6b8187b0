/* For tests that work in folders of their own. */
#ifndef TESTS_BASE_TREE_H
#define TESTS_BASE_TREE_H

void remove_tree(const char *path); /* the folder and all in it, or the file; absent is fine */

#endif
