#include "tests/lib/power_cut.h"

#include "base/vec.h"
#include "base/xmalloc.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SURVIVING_PAGE_BYTES = 4096 };

struct node;
struct name {
	char *text;
	struct node *node;
};
VEC_DEFINE(names, struct name);

/* What is in a file or a folder. */
struct content {
	char *bytes;
	size_t n;
	struct names names;
};

/* A file or folder, known by its inode, which an open descriptor keeps from being used again. */
struct node {
	dev_t dev;
	ino_t ino;
	int fd;
	bool is_dir;
	struct content safe, now; /* `now` is filled in when the power goes */
	char *dropped;            /* what a failed sync did not write */
	size_t n_dropped;
};
VEC_DEFINE(nodes, struct node *);

struct power_cut {
	char *root;
	struct fs *fs;
	int (*fault)(void *arg, enum fs_call call, const char *path, size_t *n);
	void *arg;
	pthread_mutex_t lock;
	struct nodes nodes;
};

/* --- the picture ----------------------------------------------------------------------------------------------- */

static void content_done(struct content *c)
{
	VEC_EACH (struct name, name, &c->names)
		free(name->text);
	names_done(&c->names);
	free(c->bytes);
	*c = (struct content){0};
}

/* What is not watched would look like a loss later. */
static _Noreturn void give_up(const char *verb, const char *path)
{
	fprintf(stderr, "power cut: cannot %s '%s': %s\n", verb, path, strerror(errno));
	abort();
}

/* NULL: it is not there. */
static struct node *node_of(struct power_cut *p, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return NULL;
	if (fd < 0 || fstat(fd, &st) < 0)
		give_up("watch", path);
	VEC_EACH (struct node *, node, &p->nodes) {
		if ((*node)->dev == st.st_dev && (*node)->ino == st.st_ino) {
			close(fd);
			return *node;
		}
	}
	struct node *node = xcalloc(1, sizeof(*node));
	*node = (struct node){.dev = st.st_dev, .ino = st.st_ino, .fd = fd, .is_dir = S_ISDIR(st.st_mode)};
	nodes_push(&p->nodes, node);
	return node;
}

static char *read_all(int fd, size_t *n)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		abort();
	char *bytes = xmalloc((size_t)st.st_size + 1);
	ssize_t got = pread(fd, bytes, (size_t)st.st_size, 0);
	*n = got > 0 ? (size_t)got : 0;
	return bytes;
}

static void list(struct power_cut *p, const char *path, struct names *out)
{
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		char *child = xasprintf("%s/%s", path, e->d_name);
		struct node *node = node_of(p, child);
		if (node)
			names_push(out, (struct name){xstrdup(e->d_name), node});
		free(child);
	}
	if (d)
		closedir(d);
}

static bool page_is(const char *bytes, size_t n, const char *other, size_t m, size_t at)
{
	size_t a = n > at ? n - at : 0, b = m > at ? m - at : 0;
	a = a < SURVIVING_PAGE_BYTES ? a : SURVIVING_PAGE_BYTES;
	b = b < SURVIVING_PAGE_BYTES ? b : SURVIVING_PAGE_BYTES;
	return a == b && (a == 0 || memcmp(bytes + at, other + at, a) == 0);
}

/* Pages that were not touched since a sync of them failed stay as they were before. */
static void keep_dropped(struct node *node, char *bytes, size_t n)
{
	for (size_t at = 0; node->dropped && at < n; at += SURVIVING_PAGE_BYTES) {
		if (!page_is(bytes, n, node->dropped, node->n_dropped, at))
			continue;
		size_t len = n - at < SURVIVING_PAGE_BYTES ? n - at : SURVIVING_PAGE_BYTES;
		size_t safe = node->safe.n > at ? node->safe.n - at : 0;
		safe = safe < len ? safe : len;
		if (safe)
			memcpy(bytes + at, node->safe.bytes + at, safe);
		memset(bytes + at + safe, 0, len - safe);
	}
}

static void note_sync(struct power_cut *p, const char *path, bool went_well)
{
	struct node *node = node_of(p, path);
	if (!node)
		give_up("follow the sync of", path);
	size_t n;
	char *bytes = read_all(node->fd, &n);
	if (went_well) {
		keep_dropped(node, bytes, n);
		free(node->safe.bytes);
		node->safe.bytes = bytes;
		node->safe.n = n;
	} else {
		free(node->dropped);
		node->dropped = bytes;
		node->n_dropped = n;
	}
}

/* A file that was cut to nothing is written anew: what a sync lost of it before is of no account. */
static void note_write(struct power_cut *p, const char *path)
{
	struct stat st;
	struct node *node = stat(path, &st) == 0 && st.st_size == 0 ? node_of(p, path) : NULL;
	if (!node)
		return;
	free(node->dropped);
	node->dropped = NULL;
	node->n_dropped = 0;
}

static void note_dir_sync(struct power_cut *p, const char *path)
{
	struct node *node = node_of(p, path);
	if (!node)
		return;
	content_done(&node->safe);
	list(p, path, &node->safe.names);
}

static int watch(void *arg, enum fs_call call, const char *path, size_t *n)
{
	struct power_cut *p = arg;
	int answer = p->fault ? p->fault(p->arg, call, path, n) : 0;
	pthread_mutex_lock(&p->lock);
	if (call == FS_CALL_WRITE)
		note_write(p, path);
	if (call == FS_CALL_SYNC)
		note_sync(p, path, answer == 0);
	if (call == FS_CALL_SYNC_DIR && answer == 0)
		note_dir_sync(p, path);
	/* What loses its name may still have it after the cut. */
	if (call == FS_CALL_UNLINK || call == FS_CALL_RENAME)
		node_of(p, path);
	pthread_mutex_unlock(&p->lock);
	return answer == 0 && (call == FS_CALL_SYNC || call == FS_CALL_SYNC_DIR) ? FS_PRETEND : answer;
}

/* What is there at the beginning is on disk. */
static void note_all_safe(struct power_cut *p, const char *path)
{
	struct node *node = node_of(p, path);
	if (!node || !node->is_dir) {
		note_sync(p, path, true);
		return;
	}
	note_dir_sync(p, path);
	for (size_t i = 0; i < node->safe.names.len; i++) {
		char *child = xasprintf("%s/%s", path, node->safe.names.v[i].text);
		note_all_safe(p, child);
		free(child);
	}
}

struct power_cut *power_cut_new(
    const char *root, int (*fault)(void *arg, enum fs_call call, const char *path, size_t *n), void *arg)
{
	struct power_cut *p = xcalloc(1, sizeof(*p));
	p->root = xstrdup(root);
	p->fault = fault;
	p->arg = arg;
	pthread_mutex_init(&p->lock, NULL);
	p->fs = fs_faulty_new(watch, p);
	note_all_safe(p, root);
	return p;
}

struct fs *power_cut_fs(struct power_cut *p)
{
	return p->fs;
}

static void forget(struct power_cut *p)
{
	VEC_EACH (struct node *, node, &p->nodes) {
		content_done(&(*node)->safe);
		content_done(&(*node)->now);
		free((*node)->dropped);
		close((*node)->fd);
		free(*node);
	}
	nodes_done(&p->nodes);
}

static const struct name *find_name(const struct names *names, const char *text)
{
	VEC_EACH (struct name, name, names)
		if (strcmp(name->text, text) == 0)
			return name;
	return NULL;
}

static bool has_safe_content(const struct node *node)
{
	size_t n;
	char *bytes = read_all(node->fd, &n);
	bool is_same = n == node->safe.n && memcmp(bytes, node->safe.bytes ? node->safe.bytes : "", n) == 0;
	free(bytes);
	return is_same;
}

/* Each name on the way down from the root stands for what it stood for when its folder was synced. */
static bool is_safe(struct power_cut *p, const char *path)
{
	struct node *node = node_of(p, p->root);
	size_t at = strlen(p->root);
	while (node && path[at] == '/') {
		size_t len = strcspn(path + at + 1, "/");
		char *text = xasprintf("%.*s", (int)len, path + at + 1);
		char *upto = xasprintf("%.*s", (int)(at + 1 + len), path);
		const struct name *name = find_name(&node->safe.names, text);
		node = node_of(p, upto);
		if (!name || name->node != node)
			node = NULL;
		free(text);
		free(upto);
		at += 1 + len;
	}
	return node && (node->is_dir || has_safe_content(node));
}

bool power_cut_is_safe(struct power_cut *p, const char *path)
{
	pthread_mutex_lock(&p->lock);
	bool safe = is_safe(p, path);
	pthread_mutex_unlock(&p->lock);
	return safe;
}

void power_cut_free(struct power_cut *p)
{
	forget(p);
	fs_faulty_free(p->fs);
	pthread_mutex_destroy(&p->lock);
	free(p->root);
	free(p);
}

/* --- the cut --------------------------------------------------------------------------------------------------- */

static void note_now(struct power_cut *p, const char *path)
{
	struct node *node = node_of(p, path);
	if (!node)
		return;
	if (!node->is_dir) {
		free(node->now.bytes);
		node->now.bytes = read_all(node->fd, &node->now.n);
		return;
	}
	list(p, path, &node->now.names);
	for (size_t i = 0; i < node->now.names.len; i++) {
		char *child = xasprintf("%s/%s", path, node->now.names.v[i].text);
		note_now(p, child);
		free(child);
	}
}

/* A file that was removed, or whose name another one took, has what it had: the cut may bring its name back. */
static void note_nameless(struct power_cut *p)
{
	VEC_EACH (struct node *, node, &p->nodes)
		if (!(*node)->is_dir && !(*node)->now.bytes)
			(*node)->now.bytes = read_all((*node)->fd, &(*node)->now.n);
}

static bool survives(struct test_random *random)
{
	return random && test_random_below(random, 2);
}

static void restore(const struct node *node, const char *path, struct test_random *random);

static void restore_file(const struct node *node, const char *path, struct test_random *random)
{
	const struct content *length = survives(random) ? &node->now : &node->safe;
	char *bytes = xcalloc(1, length->n + 1);
	for (size_t at = 0; at < length->n; at += SURVIVING_PAGE_BYTES) {
		const struct content *page = survives(random) ? &node->now : &node->safe;
		size_t end = at + SURVIVING_PAGE_BYTES < length->n ? at + SURVIVING_PAGE_BYTES : length->n;
		end = end < page->n ? end : page->n;
		if (end > at)
			memcpy(bytes + at, page->bytes + at, end - at);
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, bytes, length->n) != (ssize_t)length->n)
		abort();
	close(fd);
	free(bytes);
}

static void restore_name(const struct name *name, const char *dir, struct test_random *random)
{
	char *path = xasprintf("%s/%s", dir, name->text);
	if (access(path, F_OK) != 0)
		restore(name->node, path, random);
	free(path);
}

static void restore(const struct node *node, const char *path, struct test_random *random)
{
	if (!node->is_dir) {
		restore_file(node, path, random);
		return;
	}
	mkdir(path, 0777);
	VEC_EACH (struct name, name, &node->safe.names) {
		const struct name *now = find_name(&node->now.names, name->text);
		bool unchanged = now && now->node == name->node;
		if (unchanged || !survives(random))
			restore_name(name, path, random);
		else if (now)
			restore_name(now, path, random);
	}
	VEC_EACH (struct name, now, &node->now.names)
		if (!find_name(&node->safe.names, now->text) && survives(random))
			restore_name(now, path, random);
}

void power_cut_apply(struct power_cut *p, struct test_random *random)
{
	struct err err;
	struct node *root = node_of(p, p->root);
	note_now(p, p->root);
	note_nameless(p);
	VEC_EACH (struct name, name, &root->now.names) {
		char *path = xasprintf("%s/%s", p->root, name->text);
		if (fs_remove_tree(fs_real(), path, &err) != 0)
			abort();
		free(path);
	}
	restore(root, p->root, random);
	forget(p);
}
