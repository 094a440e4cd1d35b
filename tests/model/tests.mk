unit_tests += tests/model/test_duration
tests_model_test_duration_SOURCES = tests/model/test_duration.c
unit_tests += tests/model/test_label_regex
tests_model_test_label_regex_SOURCES = tests/model/test_label_regex.c
unit_tests += tests/model/test_labels
tests_model_test_labels_SOURCES = tests/model/test_labels.c
unit_tests += tests/model/test_matcher
tests_model_test_matcher_SOURCES = tests/model/test_matcher.c
