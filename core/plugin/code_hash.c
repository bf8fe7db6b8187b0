/* Where the linker puts things depends on what is no code: a longer RUNPATH moves all that follows it. So sections are taken by name and
 * content, without their addresses, and wherever the loader will fill in an address, its meaning (a symbol, or a place in a section) stands
 * for the number. What remains are distances between code and data, which the compiler's input alone decides.
 *
 * 64 bits of FNV-1a are enough: what is told apart are the builds of one plugin, a few hundred at most, and nobody forges them. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dladdr1() */
#endif
#include "plugin/code_hash.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#if __ELF_NATIVE_CLASS == 64
#define RELOCATION_SYMBOL ELF64_R_SYM
#define RELOCATION_TYPE   ELF64_R_TYPE
#define NATIVE_CLASS      ELFCLASS64
#else
#define RELOCATION_SYMBOL ELF32_R_SYM
#define RELOCATION_TYPE   ELF32_R_TYPE
#define NATIVE_CLASS      ELFCLASS32
#endif
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE_ORDER ELFDATA2LSB
#else
#define NATIVE_ORDER ELFDATA2MSB
#endif

struct section {
    ElfW(Shdr) head;
    const char *name;
    uint8_t *bytes; /* [head.sh_size] in the file's memory; NULL: it has none there */
};

struct object {
    const char *path;
    uint8_t *bytes;
    size_t size;
    ElfW(Ehdr) head;
    struct section *section; /* [sections] */
    size_t sections;
};

static knack_status fail(const struct object *object, const char *what)
{
    return status_set(KNACK_E_PLUGIN, "%s: %s", object->path, what);
}

/* ---- Reading ---- */

static knack_status read_head(struct object *object)
{
    const unsigned char *ident = object->head.e_ident;
    if (object->size < sizeof object->head || memcmp(object->bytes, ELFMAG, SELFMAG) != 0) return fail(object, "is no shared object (ELF)");
    memcpy(&object->head, object->bytes, sizeof object->head);
    if (ident[EI_CLASS] != NATIVE_CLASS || ident[EI_DATA] != NATIVE_ORDER) return fail(object, "is a shared object for another machine");
    object->sections = object->head.e_shnum;
    if (object->sections == 0) return KNACK_OK;
    if (object->head.e_shentsize != sizeof(ElfW(Shdr)) || object->head.e_shoff > object->size ||
        object->sections > (object->size - object->head.e_shoff) / sizeof(ElfW(Shdr)) || object->head.e_shstrndx >= object->sections)
        return fail(object, "is cut off or damaged: its table of sections does not fit");
    return KNACK_OK;
}

/* A text within a section of texts; NULL: it is not there. */
static const char *text_at(const struct section *texts, size_t offset)
{
    size_t size = texts->bytes ? (size_t)texts->head.sh_size : 0;
    return offset < size && texts->bytes[size - 1] == '\0' ? (const char *)texts->bytes + offset : NULL;
}

static knack_status read_sections(struct object *object)
{
    object->section = memory_new(object->sections, sizeof *object->section);
    if (!object->section) return KNACK_E_MEMORY;
    for (size_t i = 0; i < object->sections; i++) {
        struct section *s = &object->section[i];
        memcpy(&s->head, object->bytes + object->head.e_shoff + i * sizeof s->head, sizeof s->head);
        if (s->head.sh_type == SHT_NOBITS || s->head.sh_type == SHT_NULL) continue;
        if (s->head.sh_offset > object->size || s->head.sh_size > object->size - s->head.sh_offset)
            return fail(object, "is cut off or damaged: a section reaches beyond its end");
        s->bytes = object->bytes + s->head.sh_offset;
    }
    for (size_t i = 0; i < object->sections; i++) {
        struct section *s = &object->section[i];
        s->name = text_at(&object->section[object->head.e_shstrndx], s->head.sh_name);
        if (!s->name) return fail(object, "is damaged: a section has no name");
    }
    return KNACK_OK;
}

/* The section that a section's link names, if it is of that type. */
static const struct section *linked(const struct object *object, const struct section *from, uint32_t type)
{
    const struct section *to = from->head.sh_link < object->sections ? &object->section[from->head.sh_link] : NULL;
    return to && to->head.sh_type == type ? to : NULL;
}

/* Entry i of a table; false: it has fewer. Entries need not be aligned in a damaged file. */
static bool entry_of(const struct section *table, size_t i, void *entry, size_t size)
{
    if (!table->bytes || i >= table->head.sh_size / size) return false;
    memcpy(entry, table->bytes + i * size, size);
    return true;
}

/* ---- What is hashed ---- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return text_hash(hash, text, strlen(text) + 1);
}

static uint64_t hash_number(uint64_t hash, uint64_t number)
{
    return text_hash(hash, &number, sizeof number);
}

static bool is_loaded(const struct section *s)
{
    bool thread_zeros = s->head.sh_type == SHT_NOBITS && (s->head.sh_flags & SHF_TLS); /* they have no place of their own */
    return (s->head.sh_flags & SHF_ALLOC) && s->head.sh_size > 0 && !thread_zeros;
}

static struct section *section_at(const struct object *object, ElfW(Addr) address)
{
    for (size_t i = 0; i < object->sections; i++) {
        struct section *s = &object->section[i];
        if (is_loaded(s) && address >= s->head.sh_addr && address - s->head.sh_addr < s->head.sh_size) return s;
    }
    return NULL;
}

/* An address as its section's name and the distance from there. */
static uint64_t hash_place(const struct object *object, uint64_t hash, ElfW(Addr) address)
{
    const struct section *s = section_at(object, address);
    return s ? hash_number(hash_text(hash, s->name), address - s->head.sh_addr) : hash_number(hash, address);
}

/* Of the symbol that a relocation names; one without a name is a place. */
static knack_status hash_symbol(const struct object *object, const struct section *table, const ElfW(Rela) * relocation, uint64_t *hash)
{
    ElfW(Sym) symbol = {0};
    size_t index = RELOCATION_SYMBOL(relocation->r_info);
    const struct section *symbols = linked(object, table, SHT_DYNSYM), *texts = symbols ? linked(object, symbols, SHT_STRTAB) : NULL;
    ElfW(Addr) addend = (ElfW(Addr))relocation->r_addend;
    if (index > 0 && (!texts || !entry_of(symbols, index, &symbol, sizeof symbol) || !text_at(texts, symbol.st_name)))
        return fail(object, "is damaged: a relocation names a symbol that is not there");
    if (index > 0 && symbol.st_name > 0)
        *hash = hash_number(hash_text(*hash, text_at(texts, symbol.st_name)), addend);
    else
        *hash = hash_place(object, *hash, symbol.st_value + addend);
    return KNACK_OK;
}

/* Adds what the loader fills in, in whatever order the table has it, and clears the places in which it will, since linkers leave there
 * what they like. */
static knack_status add_relocations(struct object *object, const struct section *table, uint64_t *sum)
{
    ElfW(Rela) relocation;
    for (size_t i = 0; entry_of(table, i, &relocation, sizeof relocation); i++) {
        uint64_t hash = hash_number(TEXT_HASH, RELOCATION_TYPE(relocation.r_info));
        hash = hash_place(object, hash, relocation.r_offset);
        TRY(hash_symbol(object, table, &relocation, &hash));
        *sum += hash;
        struct section *s = section_at(object, relocation.r_offset);
        size_t at = s ? (size_t)(relocation.r_offset - s->head.sh_addr) : 0;
        if (s && s->bytes && s->head.sh_size - at >= sizeof(ElfW(Addr))) memset(s->bytes + at, 0, sizeof(ElfW(Addr)));
    }
    return KNACK_OK;
}

/* Adds what the object offers to others: which name is which place. */
static knack_status add_exports(const struct object *object, const struct section *table, uint64_t *sum)
{
    ElfW(Sym) symbol;
    const struct section *texts = linked(object, table, SHT_STRTAB);
    for (size_t i = 1; entry_of(table, i, &symbol, sizeof symbol); i++) {
        const char *name = texts ? text_at(texts, symbol.st_name) : NULL;
        if (!name) return fail(object, "is damaged: a symbol has no name");
        if (symbol.st_shndx == SHN_UNDEF) continue;
        *sum += hash_place(object, hash_number(hash_text(TEXT_HASH, name), symbol.st_info), symbol.st_value);
    }
    return KNACK_OK;
}

/* Whether a section's content counts as it stands. The others are what the loader needs, which is added by its meaning, and what follows
 * from the rest: jump tables of imported functions from relocations, tables for unwinding from the code. */
static bool counts(const struct section *s)
{
    static const char *const follows[] = {".interp", ".plt", ".got", ".eh_frame", ".gcc_except_table"};
    static const uint32_t loaders[] = {SHT_NULL, SHT_NOTE,     SHT_DYNAMIC, SHT_DYNSYM,     SHT_STRTAB,      SHT_SYMTAB,
                                       SHT_HASH, SHT_GNU_HASH, SHT_RELA,    SHT_GNU_verdef, SHT_GNU_verneed, SHT_GNU_versym};
    if (!(s->head.sh_flags & SHF_ALLOC)) return false;
    for (size_t i = 0; i < sizeof loaders / sizeof *loaders; i++)
        if (s->head.sh_type == loaders[i]) return false;
    for (size_t i = 0; i < sizeof follows / sizeof *follows; i++)
        if (strncmp(s->name, follows[i], strlen(follows[i])) == 0) return false;
    return true;
}

static knack_status hash_object(struct object *object, uint64_t *out)
{
    uint64_t relocations = 0, exports = 0, hash = hash_number(TEXT_HASH, object->head.e_machine);
    for (size_t i = 0; i < object->sections; i++) {
        const struct section *s = &object->section[i];
        bool loaded = s->head.sh_flags & SHF_ALLOC;
        if (loaded && s->head.sh_type == SHT_RELA) TRY(add_relocations(object, s, &relocations));
        if (s->head.sh_type == SHT_DYNSYM) TRY(add_exports(object, s, &exports));
    }
    for (size_t i = 0; i < object->sections; i++) {
        const struct section *s = &object->section[i];
        if (!counts(s)) continue;
        hash = hash_number(hash_text(hash, s->name), s->head.sh_size);
        if (s->bytes) hash = text_hash(hash, s->bytes, (size_t)s->head.sh_size);
    }
    *out = hash_number(hash_number(hash, relocations), exports);
    return KNACK_OK;
}

knack_status code_hash(const char *path, uint64_t *hash)
{
    char *bytes;
    struct object object = {.path = path};
    TRY(file_read(path, KNACK_E_PLUGIN, &bytes, &object.size));
    object.bytes = (uint8_t *)bytes;
    knack_status status = read_head(&object);
    if (status >= 0 && object.sections == 0) {
        *hash = text_hash(TEXT_HASH, bytes, object.size); /* stripped of its table of sections: nothing is told apart */
    } else {
        if (status >= 0) status = read_sections(&object);
        if (status >= 0) status = hash_object(&object, hash);
    }
    memory_free(object.section);
    memory_free(bytes);
    return status;
}

/* ---- Of this process ---- */

knack_status code_hash_around(const void *address, uint64_t *hash)
{
    Dl_info info;
    void *extra = NULL;
    if (!dladdr1(address, &info, &extra, RTLD_DL_LINKMAP) || !extra)
        return status_set(KNACK_E_PLUGIN, "the file that holds code of this process cannot be found");
    const struct link_map *map = extra;
    return code_hash(*map->l_name ? map->l_name : "/proc/self/exe", hash); /* the program's own name there is empty */
}

knack_status code_hash_own(uint64_t *hash)
{
    static const char here;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static uint64_t own;
    static bool known;
    pthread_mutex_lock(&lock);
    knack_status status = known ? KNACK_OK : code_hash_around(&here, &own);
    known = status >= 0;
    *hash = own;
    pthread_mutex_unlock(&lock);
    return status;
}
