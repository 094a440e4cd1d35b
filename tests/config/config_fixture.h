/* For tests of src/config: a context over an arena, and all errors as one text. */
#pragma once

#include "config/decode.h"
#include "tests/lib/test.h"

struct config_fixture {
	struct arena *arena;
	struct config_error_vec errors;
	struct strbuf printed;
};

static inline void config_fixture_init(struct config_fixture *f)
{
	*f = (struct config_fixture){.arena = arena_new(ARENA_NO_LIMIT), .printed = STRBUF_INIT};
}

static inline void config_fixture_done(struct config_fixture *f)
{
	config_error_vec_done(&f->errors);
	strbuf_done(&f->printed);
	arena_free(f->arena);
}

/* Errors without the warnings, a line each. */
static inline const char *config_fixture_errors(struct config_fixture *f)
{
	strbuf_reset(&f->printed);
	struct config_error_vec hard = {0};
	VEC_EACH (struct config_error, e, &f->errors)
		if (!e->is_warning)
			config_error_vec_push(&hard, *e);
	config_errors_print(&f->printed, &hard);
	config_error_vec_done(&hard);
	return strbuf_cstr(&f->printed);
}

/* Fails unless each line of the errors is what is wanted. */
#define check_errors(name, f, want) check_str(name, slice_cstr(config_fixture_errors(f)), want)
