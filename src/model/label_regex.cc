// The one file that sees RE2. A simple expression (model/regex_shape.h) is never compiled unless its captures
// are asked for; the others are compiled once, when made. Both compilations that happen late are guarded by a
// once_flag, so that a label_regex stays usable from any thread.
extern "C" {
#include "model/label_regex.h"

#include "base/arena.h"
#include "base/utf8.h"
#include "model/regex_shape.h"
}

#include <memory>
#include <mutex>
#include <re2/re2.h>
#include <string>
#include <vector>

namespace
{

constexpr int64_t MAX_PROGRAM_BYTES = 16 << 20;
// What the analysis of one expression may take; a list of 50,000 alternatives fits.
constexpr size_t SHAPE_BASE_BYTES = 1 << 20;
constexpr size_t SHAPE_BYTES_PER_BYTE = 128;

re2::StringPiece piece(struct slice s)
{
	return re2::StringPiece(s.len ? s.ptr : "", s.len);
}

std::unique_ptr<RE2> compile(const std::string &expr, bool dot_matches_newline)
{
	RE2::Options options;
	options.set_log_errors(false);
	options.set_dot_nl(dot_matches_newline);
	options.set_max_mem(MAX_PROGRAM_BYTES);
	return std::make_unique<RE2>(expr, options);
}

// Go's words for RE2's codes; both parsers share their structure, so the offending part is the same too.
const char *go_words(RE2::ErrorCode code)
{
	switch (code) {
	case RE2::ErrorBadEscape:
		return "invalid escape sequence";
	case RE2::ErrorBadCharClass:
		return "invalid character class";
	case RE2::ErrorBadCharRange:
		return "invalid character class range";
	case RE2::ErrorMissingBracket:
		return "missing closing ]";
	case RE2::ErrorMissingParen:
		return "missing closing )";
	case RE2::ErrorUnexpectedParen:
		return "unexpected )";
	case RE2::ErrorTrailingBackslash:
		return "trailing backslash at end of expression";
	case RE2::ErrorRepeatArgument:
		return "missing argument to repetition operator";
	case RE2::ErrorRepeatSize:
		return "invalid repeat count";
	case RE2::ErrorRepeatOp:
		return "invalid nested repetition operator";
	case RE2::ErrorBadPerlOp:
		return "invalid or unsupported Perl syntax";
	case RE2::ErrorBadUTF8:
		return "invalid UTF-8";
	case RE2::ErrorBadNamedCapture:
		return "invalid named capture";
	case RE2::ErrorPatternTooLarge:
		return "expression too large";
	case RE2::NoError:
	case RE2::ErrorInternal:
		break;
	}
	return "regexp/syntax: internal error";
}

int refuse(struct err *err, const char *what, const std::string &part)
{
	return err_set(err, ERR_INVALID, "error parsing regexp: %s: `%.*s`", what,
	    static_cast<int>(part.size()), part.data());
}

int refuse(struct err *err, const RE2 &re)
{
	// Go leaves the offending bytes out when they are not UTF-8, or when all of the expression is too
	// much.
	bool whole = re.error_code() == RE2::ErrorPatternTooLarge || re.error_code() == RE2::ErrorBadUTF8;
	return refuse(err, go_words(re.error_code()), whole ? re.pattern() : re.error_arg());
}

// RE2 knows `\C` (one byte), Go does not.
bool has_single_byte_escape(const std::string &expr)
{
	for (size_t i = 0; i + 1 < expr.size(); i++) {
		if (expr[i] != '\\')
			continue;
		if (expr[i + 1] == 'C')
			return true;
		i++;
		if (expr[i] == 'Q') { // literal text up to \E
			size_t end = expr.find("\\E", i);
			i = end == std::string::npos ? expr.size() : end + 1;
		}
	}
	return false;
}

size_t common_length(const std::string &a, const std::string &b)
{
	size_t n = 0;
	while (n < a.size() && n < b.size() && a[n] == b[n])
		n++;
	return n;
}

// What the names and numbers behind '$' stand for.
struct groups {
	const RE2 *re; // NULL: only numbered groups
	const std::vector<re2::StringPiece> *match;

	re2::StringPiece numbered(size_t n) const
	{
		return n < match->size() ? (*match)[n] : re2::StringPiece();
	}
	re2::StringPiece named(struct slice name) const
	{
		if (!re)
			return re2::StringPiece();
		const auto &names = re->NamedCapturingGroups();
		auto it = names.find(std::string(name.ptr, name.len));
		return it == names.end() ? re2::StringPiece() : numbered(static_cast<size_t>(it->second));
	}
	re2::StringPiece get(struct slice name) const;
};

// Digits name a group by number, unless there is a leading zero.
re2::StringPiece groups::get(struct slice name) const
{
	size_t n = 0;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (c < '0' || c > '9' || n >= 100000000)
			return named(name);
		n = n * 10 + static_cast<size_t>(c - '0');
	}
	return name.len > 1 && name.ptr[0] == '0' ? named(name) : numbered(n);
}

// Letters, digits and '_'. Beyond ASCII everything counts as a letter: no legal group name is cut short by
// that.
bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       static_cast<unsigned char>(c) >= 0x80;
}

// The name behind a '$' at the front of `s`, and how much of `s` it takes; 0: the '$' stands for itself.
size_t reference(struct slice s, struct slice *name)
{
	bool braced = s.len > 1 && s.ptr[1] == '{';
	size_t start = braced ? 2 : 1;
	size_t end = start;
	while (end < s.len && is_name_byte(s.ptr[end]))
		end++;
	*name = slice_of(s.ptr + start, end - start);
	if (name->len == 0 || (braced && (end == s.len || s.ptr[end] != '}')))
		return 0;
	return braced ? end + 1 : end;
}

void expand(struct slice text, const groups &g, struct strbuf *out)
{
	while (text.len > 0) {
		size_t dollar = slice_find(text, '$');
		strbuf_add(out, text.ptr, dollar);
		text = slice_from(text, dollar);
		if (text.len == 0)
			return;
		struct slice name;
		size_t taken = reference(text, &name);
		if (text.len > 1 && text.ptr[1] == '$') {
			strbuf_addch(out, '$');
			taken = 2;
		} else if (taken == 0) {
			strbuf_addch(out, '$');
			taken = 1;
		} else {
			re2::StringPiece value = g.get(name);
			strbuf_add(out, value.data(), value.size());
		}
		text = slice_from(text, taken);
	}
}

} // namespace

struct label_regex {
	std::string expr;
	struct arena *arena = nullptr; // of the shape
	struct regex_shape shape = {};
	bool is_simple = false;
	bool is_whole_capture = false; // "(.*)": the default of relabelling, whose only group is all of it
	std::string prefix;            // when not simple

	mutable std::once_flag anchored_once, unanchored_once;
	mutable std::unique_ptr<RE2> anchored_re, unanchored_re;

	~label_regex() { arena_free(arena); }
	// Matched with both ends anchored; a dot matches newline.
	const RE2 &anchored() const
	{
		std::call_once(anchored_once, [this] { anchored_re = compile(expr, true); });
		return *anchored_re;
	}
	const RE2 &unanchored() const
	{
		std::call_once(unanchored_once, [this] { unanchored_re = compile(expr, false); });
		return *unanchored_re;
	}
	bool match(const RE2 &re, struct slice s, size_t from, RE2::Anchor anchor,
	    std::vector<re2::StringPiece> *groups) const
	{
		return re.Match(
		    piece(s), from, s.len, anchor, groups->data(), static_cast<int>(groups->size()));
	}
	std::vector<re2::StringPiece> room_for_groups(const RE2 &re) const
	{
		return std::vector<re2::StringPiece>(1 + static_cast<size_t>(re.NumberOfCapturingGroups()));
	}
	void find_prefix();
};

// RE2 bounds what an anchored expression can match from below and above; what both bounds begin with, every
// match does.
void label_regex::find_prefix()
{
	std::string low, high;
	auto re = compile("^(?s:" + expr + ")$", true);
	if (re->ok() && re->PossibleMatchRange(&low, &high, 64))
		prefix = low.substr(0, common_length(low, high));
}

extern "C" {

int label_regex_new(struct slice expr, struct label_regex **out, struct err *err)
{
	auto re = std::make_unique<label_regex>();
	re->expr.assign(expr.len ? expr.ptr : "", expr.len);
	re->arena = arena_new(SHAPE_BASE_BYTES + expr.len * SHAPE_BYTES_PER_BYTE);
	struct slice own = slice_of(re->expr.data(), re->expr.size());
	re->is_simple = regex_shape_parse(own, re->arena, &re->shape);
	re->is_whole_capture = re->expr == "(.*)";
	if (!re->is_simple) {
		arena_reset(re->arena);
		if (!re->anchored().ok())
			return refuse(err, re->anchored());
		if (has_single_byte_escape(re->expr))
			return refuse(err, "invalid escape sequence", "\\C");
		re->find_prefix();
	}
	*out = re.release();
	return 0;
}

void label_regex_free(struct label_regex *re)
{
	delete re;
}

bool label_regex_matches(const struct label_regex *re, struct slice s)
{
	if (re->is_simple)
		return regex_shape_matches(&re->shape, s);
	return re->anchored().Match(piece(s), 0, s.len, RE2::ANCHOR_BOTH, nullptr, 0);
}

const struct slice *label_regex_set(const struct label_regex *re, size_t *n)
{
	*n = re->is_simple ? re->shape.n_set : 0;
	return re->is_simple ? re->shape.set : nullptr;
}

struct slice label_regex_prefix(const struct label_regex *re)
{
	return re->is_simple ? re->shape.prefix : slice_of(re->prefix.data(), re->prefix.size());
}

bool label_regex_expand(
    const struct label_regex *re, struct slice s, struct slice replacement, struct strbuf *out)
{
	if (re->is_simple && !regex_shape_matches(&re->shape, s))
		return false;
	if (re->is_whole_capture) {
		std::vector<re2::StringPiece> all(2, piece(s));
		expand(replacement, groups{nullptr, &all}, out);
		return true;
	}
	const RE2 &engine = re->anchored();
	std::vector<re2::StringPiece> match = re->room_for_groups(engine);
	if (!re->match(engine, s, 0, RE2::ANCHOR_BOTH, &match))
		return false;
	expand(replacement, groups{&engine, &match}, out);
	return true;
}

bool label_regex_search(const struct label_regex *re, struct slice s)
{
	return re->unanchored().Match(piece(s), 0, s.len, RE2::UNANCHORED, nullptr, 0);
}

void label_regex_replace_all(
    const struct label_regex *re, struct slice s, struct slice replacement, struct strbuf *out)
{
	const RE2 &engine = re->unanchored();
	std::vector<re2::StringPiece> match = re->room_for_groups(engine);
	const char *base = s.len ? s.ptr : "";
	struct slice text = slice_of(base, s.len);
	size_t copied = 0;
	for (size_t from = 0; from <= text.len;) {
		if (!re->match(engine, text, from, RE2::UNANCHORED, &match))
			break;
		size_t start = static_cast<size_t>(match[0].data() - base);
		size_t end = start + match[0].size();
		strbuf_add(out, base + copied, start - copied);
		// An empty match right behind another match does not count.
		if (end > copied || start == 0)
			expand(replacement, groups{&engine, &match}, out);
		copied = end;
		size_t width = 1;
		if (from < text.len)
			utf8_decode(slice_from(text, from), &width);
		from = from + width > end ? from + width : end;
	}
	strbuf_add(out, base + copied, text.len - copied);
}

} // extern "C"
