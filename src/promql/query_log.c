#include "promql/query_log.h"

#include "base/xmalloc.h"
#include "model/duration.h"

struct query_log {
	struct fs *fs;
	int fd;
};

int query_log_open(struct fs *fs, const char *path, struct query_log **out, struct err *err)
{
	int fd, rc = fs_open(fs, path, FS_CREATE_NEW, &fd, err);

	if (rc == ERR_EXISTS)
		rc = fs_open(fs, path, FS_READ_WRITE, &fd, err);
	if (rc)
		return err_prefix(err, "query log file: ");
	struct query_log *l = xcalloc(1, sizeof(*l));
	l->fs = fs;
	l->fd = fd;
	*out = l;
	return 0;
}

void query_log_close(struct query_log *l)
{
	if (l == NULL)
		return;
	fs_close(l->fs, l->fd);
	free(l);
}

static void put_time(struct json *j, const char *key, int64_t t_ms)
{
	struct strbuf text = STRBUF_INIT;

	rfc3339_print(&text, t_ms, 3);
	json_key(j, key);
	json_string(j, strbuf_slice(&text));
	strbuf_done(&text);
}

static void put_text(struct json *j, const char *key, const char *text)
{
	json_key(j, key);
	json_cstr(j, text);
}

static void put_params(struct json *j, const struct query_record *r)
{
	json_key(j, "params");
	json_object_begin(j);
	put_time(j, "end", r->end_ms);
	json_key(j, "query");
	json_string(j, r->text);
	put_time(j, "start", r->start_ms);
	json_key(j, "step");
	json_int(j, r->step_ms / 1000);
	json_object_end(j);
}

static void put_line(struct strbuf *out, const struct query_record *r)
{
	struct json j;

	json_init(&j, out);
	json_object_begin(&j);
	put_time(&j, "time", r->ended_ms);
	put_text(&j, "level", "INFO");
	put_text(&j, "msg", "promql query logged");
	put_params(&j, r);
	if (r->error)
		put_text(&j, "error", r->error);
	json_key(&j, "stats");
	query_record_put_stats(&j, &r->stats, NULL);
	/* There is no tracing. */
	put_text(&j, "spanID", "0000000000000000");
	put_text(&j, "traceID", "00000000000000000000000000000000");
	query_record_put_origin(&j, &r->origin);
	json_object_end(&j);
	strbuf_addch(out, '\n');
}

bool query_log_add(struct query_log *l, const struct query_record *r)
{
	struct strbuf line = STRBUF_INIT;
	uint64_t end = 0;

	put_line(&line, r);
	int rc = fs_size(l->fs, l->fd, &end, NULL);
	if (rc == 0)
		rc = fs_pwrite(l->fs, l->fd, line.ptr, line.len, end, NULL);
	strbuf_done(&line);
	return rc == 0;
}
