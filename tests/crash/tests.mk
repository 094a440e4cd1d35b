# kill -9 over the real server: 20 times in `make check`, 500 (or CRASH_CYCLES) in `make check-crash`; and a disk that is full.
test_scripts += tests/crash/kill_promqd.py tests/crash/full_disk.py
dist_check_SCRIPTS += tests/crash/load.py
.PHONY: check-crash
check-crash: promqd promq
	$(AM_V_at)CRASH_CYCLES=$${CRASH_CYCLES:-500} srcdir='$(abs_top_srcdir)' builddir='$(abs_top_builddir)' \
		$(top_srcdir)/tests/crash/kill_promqd.py
	$(AM_V_at)FULL_DISK_ROUNDS=$${FULL_DISK_ROUNDS:-10} srcdir='$(abs_top_srcdir)' builddir='$(abs_top_builddir)' \
		$(top_srcdir)/tests/crash/full_disk.py
