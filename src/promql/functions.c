#include "promql/functions.h"
#include "base/attr.h"
#include <assert.h>
#include <stdlib.h>

#define TYPE_OF(letter)                                                                                      \
	((letter) == 'S'      ? TYPE_SCALAR                                                                  \
	    : (letter) == 'V' ? TYPE_VECTOR                                                                  \
	    : (letter) == 'M' ? TYPE_MATRIX                                                                  \
			      : TYPE_STRING)

const struct function functions[FUNCTION_COUNT] = {
#define FUNCTION(id, name, types, variadic, result, flags, doc)                                              \
	{FN_##id, name, types, sizeof(types) - 1, variadic, TYPE_OF(result), flags, doc},
#include "promql/functions_table.h"
#undef FUNCTION
};

enum value_type function_arg_type(const struct function *f, size_t i)
{
	assert(f->n_types > 0);
	char letter = f->types[i < f->n_types ? i : f->n_types - 1u];
	return TYPE_OF(letter);
}

static int compare_name(const void *key, const void *row)
{
	return slice_cmp(*(const struct slice *)key, slice_cstr(((const struct function *)row)->name));
}

const struct function *function_find(struct slice name)
{
	return (const struct function *)bsearch(
	    &name, functions, FUNCTION_COUNT, sizeof(functions[0]), compare_name);
}
