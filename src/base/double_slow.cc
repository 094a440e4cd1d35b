#include "base/double_slow.h"

#include <climits>
#include <double-conversion/double-conversion.h>

using double_conversion::DoubleToStringConverter;
using double_conversion::StringToDoubleConverter;

int double_slow_digits(double v, char *digits, int *point)
{
	char buffer[DoubleToStringConverter::kBase10MaximalLength + 1];
	bool is_negative;
	int n;
	DoubleToStringConverter::DoubleToAscii(
	    v, DoubleToStringConverter::SHORTEST, 0, buffer, sizeof(buffer), &is_negative, &n, point);
	for (int i = 0; i < n; i++)
		digits[i] = buffer[i];
	return n;
}

double double_slow_parse(const char *text, size_t len)
{
	static const StringToDoubleConverter converter(
	    StringToDoubleConverter::NO_FLAGS, 0.0, 0.0, nullptr, nullptr);
	int used;
	return converter.StringToDouble(text, len > INT_MAX ? INT_MAX : (int)len, &used);
}
