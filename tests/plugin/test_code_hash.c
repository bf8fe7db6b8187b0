/* The identity of compiled code: what is no part of it, what is, and files that are damaged. The compiler that built the tests builds what
 * they look at. */
#include <dlfcn.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "builder.h"
#include "plugin/code_hash.h"

/* A source with a bit of everything: constants, data, pointers to data and functions, zeroed data, a switch, calls of other libraries. */
static const char source[] =
    "#include <math.h>\n#include <stdio.h>\n"
    "#define EXPORT __attribute__((visibility(\"default\")))\n"
    "struct option { const char *name; double fallback; double (*apply)(double); };\n"
    "static double twice(double x) { return 2 * x; }\n"
    "static double root(double x) { return sqrt(fabs(x)) + exp(x); }\n"
    "static struct option option[] = {{\"alpha\", DEFAULT, twice}, {\"beta\", 0.5, root}};\n"
    "static const char *const name[] = {\"one\", \"two\", \"three\"};\n"
    "static double state[100];\n"
    "EXPORT struct option *options(void) { return option; }\n"
    "EXPORT const char *say(int i) { CALL(name[i]); return name[i]; }\n"
    "EXPORT double run(int which, double x) {\n"
    "    switch (which) { case 0: return cos(x); case 1: return sin(x) OPERATION 1.25; case 2: return tan(x); case 3: return log(x);\n"
    "                     case 4: return state[3] += x; default: return option[which & 1].apply(x); } }\n";

/* The hash of the source, compiled in FOLDER/name with these options. */
static uint64_t compiled(const char *name, const char *options)
{
    char command[2048], file[128];
    uint64_t hash;
    snprintf(file, sizeof file, "%s/%s", folder, name);
    assert_int_equal(file_make_folder(file), KNACK_OK);
    snprintf(file, sizeof file, "%s/source.c", name);
    write_text(file, source);
    snprintf(
        command, sizeof command,
        "cd %s/%s && %s -shared -fPIC -fvisibility=hidden -O2 -DDEFAULT=0.25 -DOPERATION=+ -DCALL=puts %s %s/%s/source.c -o object.so -lm",
        folder, name, COMPILER, options, folder, name);
    assert_int_equal(system(command), 0);
    snprintf(file, sizeof file, "%s/%s/object.so", folder, name);
    if (code_hash(file, &hash) < 0) fail_msg("%s", knack_error());
    return hash;
}

static void one_source_has_one_hash_wherever_it_is_built(void **state)
{
    (void)state;
    uint64_t here = compiled("here", "-g -Wl,-rpath,/a");
    assert_int_equal(compiled("another/folder/with/a/longer/name", "-g3 -Wl,-rpath,/quite/another/and/much/longer/path:/and/one/more"),
                     here);
    assert_int_equal(compiled("plain", "-Wl,-rpath,/b -Wl,--build-id=none"), here);
    char far[6000] = "-g -Wl,-rpath,"; /* moves all that follows by more than a page */
    for (size_t i = strlen(far); i + 1 < 1500; i++) far[i] = 'x';
    assert_int_equal(compiled("far", far), here);
}

static void stripping_changes_nothing(void **state)
{
    (void)state;
    char file[128];
    uint64_t hash, before = compiled("stripped", "-g");
    snprintf(file, sizeof file, "strip %s/stripped/object.so", folder);
    if (system(file) != 0) skip();
    snprintf(file, sizeof file, "%s/stripped/object.so", folder);
    assert_int_equal(code_hash(file, &hash), KNACK_OK);
    assert_int_equal(hash, before);
}

static void other_code_or_data_has_another(void **state)
{
    (void)state;
    /* An option's default, an instruction, a function of another library, the name of an exported one, optimisation. */
    static const char *const changes[] = {
        "", "-UDEFAULT -DDEFAULT=0.26", "-UOPERATION -DOPERATION=-", "-UCALL -DCALL=perror", "-Dsay=tell", "-O1"};
    enum { CHANGES = sizeof changes / sizeof *changes };
    uint64_t hash[CHANGES];
    for (int i = 0; i < CHANGES; i++) {
        hash[i] = compiled("changed", changes[i]);
        for (int k = 0; k < i; k++) assert_int_not_equal(hash[i], hash[k]);
    }
    assert_int_equal(compiled("changed", "-Dtwice=doubled"), hash[0]); /* names that nobody sees are no part of it */
}

static void own_code_has_a_hash_that_stays(void **state)
{
    (void)state;
    uint64_t own, again, program, library;
    assert_int_equal(code_hash_own(&own), KNACK_OK);
    assert_int_equal(code_hash_own(&again), KNACK_OK);
    assert_int_equal(own, again);
    assert_int_equal(code_hash("/proc/self/exe", &program), KNACK_OK); /* which the floors are linked into here */
    assert_int_equal(own, program);
    const void *address = dlsym(RTLD_DEFAULT, "cmocka_set_message_output");
    assert_non_null(address);
    assert_int_equal(code_hash_around(address, &library), KNACK_OK);
    assert_int_not_equal(library, own);
}

static void files_that_are_none_are_refused(void **state)
{
    (void)state;
    char path[128];
    uint64_t hash;
    snprintf(path, sizeof path, "%s/none.so", folder);
    expect_error(code_hash(path, &hash), KNACK_E_PLUGIN, "FOLDER/none.so: cannot be opened: No such file or directory");
    write_text("text.so", "no object");
    snprintf(path, sizeof path, "%s/text.so", folder);
    expect_error(code_hash(path, &hash), KNACK_E_PLUGIN, "FOLDER/text.so: is no shared object (ELF)");
    write_text("other.so", "\177ELF\001\002\001 and as long as a header has to be, which are sixty-four bytes or more.");
    snprintf(path, sizeof path, "%s/other.so", folder);
    expect_error(code_hash(path, &hash), KNACK_E_PLUGIN, "FOLDER/other.so: is a shared object for another machine");
}

/* Of bytes as a file; written without flushing, as there are many. */
static knack_status hash_of(const char *bytes, size_t size, uint64_t *hash)
{
    char path[128];
    snprintf(path, sizeof path, "%s/damaged.so", folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return code_hash(path, hash);
}

static void damaged_files_do_no_harm(void **state)
{
    (void)state;
    char path[128], *bytes;
    size_t size;
    uint64_t hash, whole = compiled("whole", "-Wl,-s");
    snprintf(path, sizeof path, "%s/whole/object.so", folder);
    assert_int_equal(file_read(path, KNACK_E_DATA, &bytes, &size), KNACK_OK);
    for (size_t length = 0; length < size; length += 1 + length / 50) assert_int_equal(hash_of(bytes, length, &hash), KNACK_E_PLUGIN);
    int64_t other = 0;
    for (size_t at = 0; at < size; at += at < 64 || at > size - 2500 ? 1 : 61) { /* header and table of sections are there */
        char before = bytes[at];
        bytes[at] = (char)~before;
        knack_status status = hash_of(bytes, size, &hash);
        other += status < 0 || hash != whole;
        bytes[at] = before;
    }
    assert_true(other > 100);
    memory_free(bytes);
}

static void without_memory_it_says_so(void **state)
{
    (void)state;
    char path[128];
    uint64_t hash;
    compiled("memory", "");
    snprintf(path, sizeof path, "%s/memory/object.so", folder);
    for (int64_t nth = 1; nth <= 2; nth++) { /* the file, its sections */
        memory_fail_at(nth);
        knack_status status = code_hash(path, &hash);
        memory_fail_at(0);
        assert_int_equal(status, KNACK_E_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_source_has_one_hash_wherever_it_is_built),
        cmocka_unit_test(stripping_changes_nothing),
        cmocka_unit_test(other_code_or_data_has_another),
        cmocka_unit_test(own_code_has_a_hash_that_stays),
        cmocka_unit_test(files_that_are_none_are_refused),
        cmocka_unit_test(damaged_files_do_no_harm),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
