#include "net/http_params.h"

#include "net/url.h"

enum { MAX_PARAMS = 10000 };

void http_params_add(struct http_param_vec *params, struct slice text, struct arena *arena)
{
	struct http_param p;
	while (params->len < MAX_PARAMS && url_next_pair(&text, &p.name, &p.value, arena))
		http_param_vec_push(params, p);
}

bool http_params_get(const struct http_param_vec *params, const char *name, size_t k, struct slice *value)
{
	struct slice want = slice_cstr(name);
	VEC_EACH (struct http_param, p, params) {
		if (!slice_eq(p->name, want) || k-- > 0)
			continue;
		*value = p->value;
		return true;
	}
	return false;
}
