#include "template/template_time.h"

#include "model/duration.h"
#include "template/go_time.h"
#include "template/template_call.h"
#include "template/template_exec.h"

enum { NS_PER_S = 1000000000 };

static struct template_value as_text(struct template_exec *x, const struct template_value *self)
{
	struct strbuf sb = STRBUF_INIT;
	template_print(&sb, self);
	return template_take_text(x, &sb);
}

static int compare_times(const struct template_value *a, const struct template_value *b)
{
	if (a->as.time.s != b->as.time.s)
		return a->as.time.s < b->as.time.s ? -1 : 1;
	return (a->as.time.ns > b->as.time.ns) - (a->as.time.ns < b->as.time.ns);
}

static struct template_value time_plus(const struct template_value *t, int64_t ns)
{
	struct template_value out = *t;
	int64_t rest = out.as.time.ns + ns % NS_PER_S;
	out.as.time.s += ns / NS_PER_S;
	out.as.time.s += rest < 0 ? -1 : rest >= NS_PER_S;
	out.as.time.ns = (int32_t)(rest < 0 ? rest + NS_PER_S : rest >= NS_PER_S ? rest - NS_PER_S : rest);
	return out;
}

/* Seconds before the year 1 began are Go's zero time. */
static const int64_t zero_time_s = -62135596800;

struct unary_method {
	const char *name;
	struct template_value (*call)(const struct go_date *d, const struct template_value *self);
};

static struct template_value get_year(const struct go_date *d, const struct template_value *self)
{
	(void)self;
	return template_int(d->year);
}

static struct template_value get_month(const struct go_date *d, const struct template_value *self)
{
	static const char *const names[] = {"January", "February", "March", "April", "May", "June", "July",
	    "August", "September", "October", "November", "December"};
	(void)self;
	return template_text(slice_cstr(names[d->month - 1]));
}

static struct template_value get_day(const struct go_date *d, const struct template_value *self)
{
	(void)self;
	return template_int(d->day);
}

static struct template_value get_hour(const struct go_date *d, const struct template_value *self)
{
	(void)self;
	return template_int(d->hour);
}

static struct template_value get_minute(const struct go_date *d, const struct template_value *self)
{
	(void)self;
	return template_int(d->minute);
}

static struct template_value get_second(const struct go_date *d, const struct template_value *self)
{
	(void)self;
	return template_int(d->second);
}

static struct template_value get_year_day(const struct go_date *d, const struct template_value *self)
{
	(void)self;
	return template_int(d->year_day);
}

static struct template_value get_weekday(const struct go_date *d, const struct template_value *self)
{
	static const char *const names[] = {
	    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
	(void)self;
	return template_text(slice_cstr(names[d->weekday]));
}

static struct template_value get_unix(const struct go_date *d, const struct template_value *self)
{
	(void)d;
	return template_int(self->as.time.s);
}

static struct template_value get_unix_milli(const struct go_date *d, const struct template_value *self)
{
	(void)d;
	return template_int(self->as.time.s * 1000 + self->as.time.ns / 1000000);
}

static struct template_value get_unix_nano(const struct go_date *d, const struct template_value *self)
{
	(void)d;
	return template_int((int64_t)((uint64_t)self->as.time.s * NS_PER_S + (uint64_t)self->as.time.ns));
}

static struct template_value get_nanosecond(const struct go_date *d, const struct template_value *self)
{
	(void)d;
	return template_int(self->as.time.ns);
}

static struct template_value get_itself(const struct go_date *d, const struct template_value *self)
{
	(void)d;
	return *self;
}

static struct template_value get_is_zero(const struct go_date *d, const struct template_value *self)
{
	(void)d;
	return template_bool(self->as.time.s == zero_time_s && self->as.time.ns == 0);
}

static const struct unary_method time_methods[] = {
    {"Year", get_year},
    {"Month", get_month},
    {"Day", get_day},
    {"Hour", get_hour},
    {"Minute", get_minute},
    {"Second", get_second},
    {"YearDay", get_year_day},
    {"Weekday", get_weekday},
    {"Unix", get_unix},
    {"UnixMilli", get_unix_milli},
    {"UnixNano", get_unix_nano},
    {"Nanosecond", get_nanosecond},
    {"UTC", get_itself},
    {"Local", get_itself},
    {"IsZero", get_is_zero},
};

/* Methods with an argument. */
static int time_get_with(struct template_exec *x, const struct template_value *self, struct slice name,
    const struct template_value *arg, struct template_value *out)
{
	if (slice_eq(name, SL("Format")) && arg->kind == TV_STRING) {
		struct strbuf sb = STRBUF_INIT;
		go_time_format(&sb, arg->as.text, self->as.time.s, self->as.time.ns);
		*out = template_take_text(x, &sb);
	} else if (slice_eq(name, SL("Add")) && (arg->kind == TV_DURATION || arg->kind == TV_INT)) {
		*out = time_plus(self, arg->kind == TV_INT ? arg->as.integer : arg->as.duration_ns);
	} else if (slice_eq(name, SL("Sub")) && arg->kind == TV_TIME) {
		uint64_t s = (uint64_t)self->as.time.s - (uint64_t)arg->as.time.s;
		*out = template_duration_ns(
		    (int64_t)(s * NS_PER_S + (uint64_t)(self->as.time.ns - arg->as.time.ns)));
	} else if (slice_eq(name, SL("Before")) && arg->kind == TV_TIME) {
		*out = template_bool(compare_times(self, arg) < 0);
	} else if (slice_eq(name, SL("After")) && arg->kind == TV_TIME) {
		*out = template_bool(compare_times(self, arg) > 0);
	} else if (slice_eq(name, SL("Equal")) && arg->kind == TV_TIME) {
		*out = template_bool(compare_times(self, arg) == 0);
	} else {
		return ERR_NOT_FOUND;
	}
	return 0;
}

static int time_get(struct template_exec *x, const struct template_value *self, struct slice name,
    const struct template_value *args, size_t n, struct template_value *out, struct err *err)
{
	if (n > 1)
		return err_set(err, ERR_INVALID, "wrong number of args: want at most 1 got %zu", n);
	if (n == 1)
		return time_get_with(x, self, name, &args[0], out);
	if (slice_eq(name, SL("String"))) {
		*out = as_text(x, self);
		return 0;
	}
	struct go_date d;
	go_time_date(self->as.time.s, &d);
	for (size_t i = 0; i < ARRAY_LEN(time_methods); i++) {
		if (!slice_eq_cstr(name, time_methods[i].name))
			continue;
		*out = time_methods[i].call(&d, self);
		return 0;
	}
	return ERR_NOT_FOUND;
}

static int duration_get(struct template_exec *x, const struct template_value *self, struct slice name,
    const struct template_value *args, size_t n, struct template_value *out, struct err *err)
{
	static const struct {
		const char *name;
		int64_t ns;
		bool is_float;
	} units[] = {{"Seconds", NS_PER_S, true}, {"Minutes", INT64_C(60) * NS_PER_S, true},
	    {"Hours", INT64_C(3600) * NS_PER_S, true}, {"Milliseconds", 1000000, false},
	    {"Microseconds", 1000, false}, {"Nanoseconds", 1, false}};
	(void)args;
	if (n)
		return err_set(err, ERR_INVALID, "wrong number of args: want 0 got %zu", n);
	if (slice_eq(name, SL("String"))) {
		*out = as_text(x, self);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (!slice_eq_cstr(name, units[i].name))
			continue;
		int64_t ns = self->as.duration_ns;
		*out = units[i].is_float ? template_float((double)ns / (double)units[i].ns)
					 : template_int(ns / units[i].ns);
		return 0;
	}
	return ERR_NOT_FOUND;
}

const struct template_class template_time_class = {"time.Time", time_get, NULL};
const struct template_class template_duration_class = {"time.Duration", duration_get, NULL};
