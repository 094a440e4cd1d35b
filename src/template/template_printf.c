#include "template/template_printf.h"

#include "base/double_text.h"
#include "base/utf8.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_WIDTH = 1000 };

struct verb {
	bool minus, plus, sharp, space, zero;
	int width, precision; /* -1: none */
	char letter;
};

static void pad(struct strbuf *out, struct slice text, const struct verb *v)
{
	size_t length = 0;
	for (size_t i = 0; i < text.len; i++)
		length += ((unsigned char)text.ptr[i] & 0xc0) != 0x80; /* width counts characters */
	size_t fill = v->width > 0 && (size_t)v->width > length ? (size_t)v->width - length : 0;
	if (v->minus)
		strbuf_add_slice(out, text);
	bool zeros = v->zero && !v->minus;
	if (zeros && text.len && (text.ptr[0] == '-' || text.ptr[0] == '+')) {
		strbuf_addch(out, text.ptr[0]);
		text = slice_from(text, 1);
	}
	for (size_t i = 0; i < fill; i++)
		strbuf_addch(out, zeros ? '0' : ' ');
	if (!v->minus)
		strbuf_add_slice(out, text);
}

/* %!d(string=hello) */
static void bad_verb(struct strbuf *out, const struct template_value *arg, char letter)
{
	strbuf_addf(out, "%%!%c(", letter);
	if (arg->kind == TV_NIL) {
		strbuf_adds(out, "<nil>");
	} else {
		strbuf_addf(out, "%s=", template_type_name(arg));
		template_print(out, arg);
	}
	strbuf_addch(out, ')');
}

static void add_sign(struct strbuf *text, bool negative, const struct verb *v)
{
	if (negative)
		strbuf_addch(text, '-');
	else if (v->plus)
		strbuf_addch(text, '+');
	else if (v->space)
		strbuf_addch(text, ' ');
}

static void print_integer(struct strbuf *out, uint64_t magnitude, bool negative, const struct verb *v)
{
	static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
	unsigned base = v->letter == 'b'                       ? 2
			: v->letter == 'o'                     ? 8
			: v->letter == 'x' || v->letter == 'X' ? 16
							       : 10;
	char digits[80];
	size_t at = sizeof(digits);
	do
		digits[--at] = (v->letter == 'X' ? upper : lower)[magnitude % base];
	while ((magnitude /= base) && at > 0);
	struct strbuf text = STRBUF_INIT;
	add_sign(&text, negative, v);
	if (v->sharp && base == 16)
		strbuf_adds(&text, v->letter == 'X' ? "0X" : "0x");
	for (int i = (int)(sizeof(digits) - at); i < v->precision; i++)
		strbuf_addch(&text, '0');
	strbuf_add(&text, digits + at, sizeof(digits) - at);
	pad(out, strbuf_slice(&text), v);
	strbuf_done(&text);
}

static void print_int(struct strbuf *out, const struct template_value *arg, const struct verb *v)
{
	int64_t i = arg->kind == TV_DURATION ? arg->as.duration_ns : arg->as.integer;
	char text[8];
	switch (v->letter) {
	case 'd':
	case 'b':
	case 'o':
	case 'x':
	case 'X':
		print_integer(out, i < 0 ? 0 - (uint64_t)i : (uint64_t)i, i < 0, v);
		return;
	case 'c':
		pad(out, slice_of(text, utf8_encode((uint32_t)i, text)), v);
		return;
	case 'U': {
		struct strbuf sb = STRBUF_INIT;
		strbuf_addf(&sb, "U+%04" PRIX64, (uint64_t)i);
		pad(out, strbuf_slice(&sb), v);
		strbuf_done(&sb);
		return;
	}
	default:
		bad_verb(out, arg, v->letter);
	}
}

/* With a precision C and Go agree but for the exponent of %g, which is written alike; without one Go wants the shortest. */
static void print_float(struct strbuf *out, const struct template_value *arg, const struct verb *v)
{
	char text[512 + MAX_WIDTH];
	double d = arg->as.number;
	size_t n;
	if (!v->letter || !strchr("eEfFgGv", v->letter)) {
		bad_verb(out, arg, v->letter);
		return;
	}
	char letter = v->letter == 'F' ? 'f' : v->letter == 'v' ? 'g' : v->letter;
	int precision = v->precision < 0 && strchr("eEf", letter) ? 6 : v->precision;
	if (isnan(d)) {
		n = 3;
		memcpy(text, "NaN", 4);
	} else if (isinf(d)) {
		n = (size_t)snprintf(text, sizeof(text), "%s", d < 0 ? "-Inf" : "+Inf");
	} else if (precision < 0) {
		n = double_to_go_g(d, text);
	} else {
		char format[] = {'%', '.', '*', letter, '\0'};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		n = (size_t)snprintf(text, sizeof(text), format, precision, d);
#pragma GCC diagnostic pop
	}
	struct strbuf sb = STRBUF_INIT;
	if (text[0] != '-' && text[0] != '+')
		add_sign(&sb, false, v);
	strbuf_add(&sb, text, n);
	struct verb padded = *v;
	padded.zero = v->zero && isfinite(d);
	pad(out, strbuf_slice(&sb), &padded);
	strbuf_done(&sb);
}

static void print_hex(struct strbuf *out, struct slice s, const struct verb *v)
{
	struct strbuf sb = STRBUF_INIT;
	for (size_t i = 0; i < s.len; i++)
		strbuf_addf(&sb, v->letter == 'x' ? "%02x" : "%02X", (unsigned char)s.ptr[i]);
	pad(out, strbuf_slice(&sb), v);
	strbuf_done(&sb);
}

static void print_text(
    struct strbuf *out, const struct template_value *arg, struct slice s, const struct verb *v)
{
	if (v->precision >= 0 && (v->letter == 's' || v->letter == 'v' || v->letter == 'q')) {
		size_t n = 0;
		for (int i = 0; i < v->precision && n < s.len; i++) {
			size_t one;
			utf8_decode(slice_from(s, n), &one);
			n += one;
		}
		s.len = n;
	}
	if (v->letter == 's' || v->letter == 'v') {
		pad(out, s, v);
	} else if (v->letter == 'q') {
		struct strbuf sb = STRBUF_INIT;
		utf8_quote_go(&sb, s);
		pad(out, strbuf_slice(&sb), v);
		strbuf_done(&sb);
	} else if (v->letter == 'x' || v->letter == 'X') {
		print_hex(out, s, v);
	} else {
		bad_verb(out, arg, v->letter);
	}
}

/* Values that print through their own text. */
static void print_other(struct strbuf *out, const struct template_value *arg, const struct verb *v)
{
	struct strbuf sb = STRBUF_INIT;
	if (arg->kind == TV_NIL)
		strbuf_adds(&sb, "<nil>");
	else
		template_print(&sb, arg);
	if (arg->kind == TV_NIL && v->letter != 'v')
		bad_verb(out, arg, v->letter);
	else
		print_text(out, arg, strbuf_slice(&sb), v);
	strbuf_done(&sb);
}

static void print_one(struct strbuf *out, const struct template_value *arg, const struct verb *v)
{
	if (v->letter == 'T') {
		pad(out, slice_cstr(template_type_name(arg)), v);
		return;
	}
	switch (arg->kind) {
	case TV_STRING:
		print_text(out, arg, arg->as.text, v);
		return;
	case TV_INT:
	case TV_DURATION:
		if (v->letter == 'v' || (arg->kind == TV_DURATION && v->letter == 's')) {
			print_other(out, arg,
			    &(struct verb){
				.minus = v->minus, .width = v->width, .precision = -1, .letter = 'v'});
			return;
		}
		print_int(out, arg, v);
		return;
	case TV_UINT:
		if (v->letter == 'v' || v->letter == 'd')
			print_integer(out, arg->as.uinteger, false,
			    &(struct verb){.letter = 'd',
				.minus = v->minus,
				.zero = v->zero,
				.plus = v->plus,
				.width = v->width,
				.precision = v->precision});
		else
			print_integer(out, arg->as.uinteger, false, v);
		return;
	case TV_FLOAT:
		print_float(out, arg, v);
		return;
	case TV_BOOL:
		if (v->letter == 't' || v->letter == 'v')
			pad(out, slice_cstr(arg->as.boolean ? "true" : "false"), v);
		else
			bad_verb(out, arg, v->letter);
		return;
	case TV_NIL:
	case TV_TIME:
	case TV_LIST:
	case TV_MAP:
	case TV_HISTOGRAM:
	case TV_OBJECT:
		print_other(out, arg, v);
		return;
	}
}

struct args {
	const struct template_value *v;
	size_t n, next;
};

static int read_digits(struct slice *f)
{
	int v = 0;
	while (f->len && f->ptr[0] >= '0' && f->ptr[0] <= '9') {
		v = v < MAX_WIDTH ? v * 10 + (f->ptr[0] - '0') : MAX_WIDTH;
		*f = slice_from(*f, 1);
	}
	return v > MAX_WIDTH ? MAX_WIDTH : v;
}

/* "[2]" chooses the argument. */
static void read_index(struct slice *f, struct args *a)
{
	if (!f->len || f->ptr[0] != '[')
		return;
	struct slice rest = slice_from(*f, 1);
	int index = read_digits(&rest);
	if (!rest.len || rest.ptr[0] != ']' || index < 1)
		return;
	a->next = (size_t)index - 1;
	*f = slice_from(rest, 1);
}

/* Digits, or '*': the next argument. */
static int read_count(struct slice *f, struct args *a, int none)
{
	if (f->len && f->ptr[0] == '*') {
		*f = slice_from(*f, 1);
		bool good = a->next < a->n && a->v[a->next].kind == TV_INT;
		int64_t v = good ? a->v[a->next].as.integer : none;
		a->next++;
		return v > MAX_WIDTH ? MAX_WIDTH : v < -MAX_WIDTH ? -MAX_WIDTH : (int)v;
	}
	return f->len && f->ptr[0] >= '0' && f->ptr[0] <= '9' ? read_digits(f) : none;
}

static struct verb read_verb(struct slice *f, struct args *a)
{
	struct verb v = {.width = -1, .precision = -1};
	for (; f->len; *f = slice_from(*f, 1)) {
		char c = f->ptr[0];
		if (c == '-')
			v.minus = true;
		else if (c == '+')
			v.plus = true;
		else if (c == '#')
			v.sharp = true;
		else if (c == ' ')
			v.space = true;
		else if (c == '0')
			v.zero = true;
		else
			break;
	}
	read_index(f, a);
	v.width = read_count(f, a, -1);
	if (v.width < -1) {
		v.minus = true;
		v.width = -v.width;
	}
	if (f->len && f->ptr[0] == '.') {
		*f = slice_from(*f, 1);
		read_index(f, a);
		v.precision = read_count(f, a, 0);
	}
	read_index(f, a);
	return v;
}

void template_printf(struct strbuf *out, struct slice f, const struct template_value *args, size_t n)
{
	struct args a = {.v = args, .n = n};
	bool reordered = false;
	while (f.len) {
		size_t plain = slice_find(f, '%');
		strbuf_add(out, f.ptr, plain);
		f = slice_from(f, plain);
		if (!f.len)
			break;
		f = slice_from(f, 1);
		size_t before = a.next;
		struct verb v = read_verb(&f, &a);
		reordered |= a.next < before;
		if (!f.len) {
			strbuf_adds(out, "%!(NOVERB)");
			break;
		}
		v.letter = f.ptr[0];
		f = slice_from(f, 1);
		if (v.letter == '%')
			strbuf_addch(out, '%');
		else if (a.next >= n)
			strbuf_addf(out, "%%!%c(MISSING)", v.letter);
		else
			print_one(out, &args[a.next++], &v);
	}
	if (reordered || a.next >= n)
		return;
	strbuf_adds(out, "%!(EXTRA ");
	for (size_t i = a.next; i < n; i++) {
		strbuf_addf(out, "%s%s=", i > a.next ? ", " : "", template_type_name(&args[i]));
		template_print(out, &args[i]);
	}
	strbuf_addch(out, ')');
}

void template_sprint(struct strbuf *out, const struct template_value *args, size_t n, bool newline)
{
	static const struct verb plain = {.width = -1, .precision = -1, .letter = 'v'};
	for (size_t i = 0; i < n; i++) {
		bool texts = i && (args[i].kind == TV_STRING || args[i - 1].kind == TV_STRING);
		if (i && (newline || !texts))
			strbuf_addch(out, ' ');
		print_one(out, &args[i], &plain);
	}
	if (newline)
		strbuf_addch(out, '\n');
}
