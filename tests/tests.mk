# Unit tests: one program per source file, cmocka in TAP output, run by prove. Each tests/<layer>/tests.mk adds to
# unit_tests and names the program's sources; all link everything, by LDADD (which promqd and promq override).
LDADD = libtestlib.a $(PROMQ_LIBS) $(CMOCKA_LIBS) $(EXTERNAL_LIBS)
unit_tests =
test_scripts = tests/check_layers.sh tests/check_headers.sh tests/promqltest.sh tests/check_manual.sh
EXTRA_DIST += tests/promqltest.known
include tests/lib/tests.mk
include tests/base/tests.mk
include tests/net/tests.mk
include tests/model/tests.mk
include tests/config/tests.mk
include tests/storage/tests.mk
include tests/template/tests.mk
include tests/tsdb/tests.mk
include tests/promql/tests.mk
include tests/scrape/tests.mk
include tests/discovery/tests.mk
include tests/ingest/tests.mk
include tests/rules/tests.mk
include tests/alertmanager/tests.mk
include tests/web/tests.mk
include tests/main/tests.mk
include tests/tools/tests.mk
include tests/scenario/tests.mk
include tests/crash/tests.mk

# `make check` builds all of it and lets prove run it; one program: `make tests/base/test_arena && tests/base/test_arena -f NAME`.
check_PROGRAMS += $(unit_tests) $(fuzz_programs)
dist_check_SCRIPTS += $(test_scripts)
# Measuring programs are not run here, but they have to build.
check-local: $(EXTRA_PROGRAMS)
	$(AM_V_at)CC='$(CC)' CMOCKA_MESSAGE_OUTPUT=TAP srcdir='$(abs_top_srcdir)' builddir='$(abs_top_builddir)' \
		$(PROVE) --merge --timer -j $(TEST_JOBS) $(PROVE_FLAGS) --exec '' \
		$(unit_tests) $(addprefix $(abs_top_srcdir)/,$(test_scripts))
	$(AM_V_at)set -e; for program in $(fuzz_programs); do \
		corpus='$(abs_top_srcdir)'/fuzz/corpus/$${program#fuzz/fuzz_}; \
		./$$program $(FUZZ_REPLAY) $$corpus > $$program.log 2>&1 || { cat $$program.log; exit 1; }; \
		tail -n 1 $$program.log; done
TEST_JOBS = 2

# The unit tests alone; and under the thread sanitizer, in a build folder beside this one.
.PHONY: check-units check-tsan
check-units: $(unit_tests)
	$(AM_V_at)CMOCKA_MESSAGE_OUTPUT=TAP srcdir='$(abs_top_srcdir)' builddir='$(abs_top_builddir)' \
		$(PROVE) --merge --timer -j $(TEST_JOBS) $(PROVE_FLAGS) --exec '' $(unit_tests)
check-tsan:
	$(AM_V_at)$(abs_top_srcdir)/tools/build '$(abs_top_builddir)-tsan' --enable-tsan CC='$(CC)' CXX='$(CXX)'
	$(AM_V_at)TSAN_OPTIONS=exitcode=66 $(MAKE) -C '$(abs_top_builddir)-tsan' check-units

.PHONY: check-headers check-layers check-programs
# Everything `make check` runs, without running it.
check-programs: $(check_PROGRAMS) $(EXTRA_PROGRAMS)
check-headers:
	$(AM_V_at)CC='$(CC)' srcdir='$(abs_top_srcdir)' builddir='$(abs_top_builddir)' $(top_srcdir)/tests/check_headers.sh
check-layers:
	$(AM_V_at)srcdir='$(abs_top_srcdir)' $(top_srcdir)/tests/check_layers.sh
