# End-to-end scenarios over real programs: a node exporter, a Prometheus in agent mode, a webhook receiver.
test_scripts += tests/scenario/scrape_to_webhook.py tests/scenario/agent_remote_write.py tests/scenario/start_refusals.py \
	tests/scenario/hostile_input.py
dist_check_SCRIPTS += tests/scenario/lib.py
# Against Debian's prometheus; PROMQ_DIFFERENTIAL=full asks more.
test_scripts += tests/scenario/prometheus_differential.py
# Every command of docs/queries.md.
test_scripts += tests/scenario/queries_manual.py
