# PROMQ_FLAGS(VARIABLE, LANGUAGE, FLAGS): those of FLAGS that the compiler takes, into VARIABLE.
AC_DEFUN([PROMQ_FLAGS], [
	AC_LANG_PUSH([$2])
	$1=
	promq_saved_cflags=$CFLAGS
	promq_saved_cxxflags=$CXXFLAGS
	for promq_flag in $3; do
		CFLAGS="$promq_saved_cflags -Werror $promq_flag"
		CXXFLAGS="$promq_saved_cxxflags -Werror $promq_flag"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [$1="$$1 $promq_flag"])
	done
	CFLAGS=$promq_saved_cflags
	CXXFLAGS=$promq_saved_cxxflags
	AC_LANG_POP([$2])
	AC_SUBST([$1])
])
