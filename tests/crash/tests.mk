# kill -9 over the real server: 20 times in `make check`, 500 (or CRASH_CYCLES) in `make check-crash`.
test_scripts += tests/crash/kill_promqd.py
.PHONY: check-crash
check-crash: promqd
	$(AM_V_at)CRASH_CYCLES=$${CRASH_CYCLES:-500} srcdir='$(abs_top_srcdir)' builddir='$(abs_top_builddir)' \
		$(top_srcdir)/tests/crash/kill_promqd.py
