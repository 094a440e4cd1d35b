unit_tests += tests/rules/test_alert_state tests/rules/test_label_table tests/rules/test_rule_file
tests_rules_test_alert_state_SOURCES = tests/rules/test_alert_state.c
tests_rules_test_label_table_SOURCES = tests/rules/test_label_table.c
tests_rules_test_rule_file_SOURCES = tests/rules/test_rule_file.c tests/config/config_fixture.h
unit_tests += tests/rules/test_rule_manager
tests_rules_test_rule_manager_SOURCES = tests/rules/test_rule_manager.c tests/rules/rules_fixture.h
unit_tests += tests/rules/test_alert_restore
tests_rules_test_alert_restore_SOURCES = tests/rules/test_alert_restore.c tests/rules/rules_fixture.h
