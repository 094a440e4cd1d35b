/* Written from the description of what each name yields; a user redefines the one that he wants otherwise. */
#include "alertmanager/notify_defaults.h"

#define DEFINE(name, text)                                                                                   \
	{                                                                                                    \
		name, SL_INIT(text)                                                                          \
	}
#define SUBJECT     "{{ template \"__subject\" . }}"
#define LINK        "{{ template \"__alertmanagerURL\" . }}"
#define PRODUCT     "{{ template \"__alertmanager\" . }}"
#define ANNOTATIONS "{{ .CommonAnnotations.SortedPairs.Values | join \" \" }}"

/* Both lists under headings, each only when it has alerts. */
#define LISTS                                                                                                \
	"{{ if gt (len .Alerts.Firing) 0 }}Alerts Firing:\n{{ template \"__text_alert_list\" "               \
	".Alerts.Firing }}"                                                                                  \
	"{{ end }}{{ if gt (len .Alerts.Resolved) 0 }}Alerts Resolved:\n"                                    \
	"{{ template \"__text_alert_list\" .Alerts.Resolved }}{{ end }}"
#define MARKDOWN_LISTS                                                                                       \
	"{{ if gt (len .Alerts.Firing) 0 }}# Alerts Firing:\n{{ template \"__text_alert_list_markdown\" "    \
	".Alerts.Firing }}{{ end }}{{ if gt (len .Alerts.Resolved) 0 }}# Alerts Resolved:\n"                 \
	"{{ template \"__text_alert_list_markdown\" .Alerts.Resolved }}{{ end }}"

/* The four cells of a mail's colours and words that both halves share. */
#define MAIL_ALERT                                                                                           \
	"<tr><td style=\"padding:0 0 20px;font-family:Helvetica,Arial,sans-serif;font-size:14px\">"          \
	"<strong>Labels</strong><br/>{{ range .Labels.SortedPairs }}{{ .Name }} = {{ .Value }}<br/>{{ end "  \
	"}}"                                                                                                 \
	"{{ if gt (len .Annotations) 0 }}<strong>Annotations</strong><br/>"                                  \
	"{{ range .Annotations.SortedPairs }}{{ .Name }} = {{ .Value }}<br/>{{ end }}{{ end }}"              \
	"<a href=\"{{ .GeneratorURL }}\">Source</a></td></tr>\n"

static const struct {
	const char *name;
	struct slice text;
} defaults[] = {
    DEFINE("__alertmanager", "Alertmanager"),
    DEFINE("__alertmanagerURL", "{{ .ExternalURL }}/#/alerts?receiver={{ .Receiver | urlquery }}"),
    DEFINE("__subject",
	"[{{ .Status | toUpper }}{{ if eq .Status \"firing\" }}:{{ .Alerts.Firing | len }}{{ end }}] "
	"{{ .GroupLabels.SortedPairs.Values | join \" \" }}"
	"{{ if gt (len .CommonLabels) (len .GroupLabels) }} ("
	"{{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join \" \" }}{{ end }}){{ end }}"),
    DEFINE("__description", ""),
    DEFINE("__text_alert_list", "{{ range . }}Labels:\n{{ range .Labels.SortedPairs }} - {{ .Name }} = {{ "
				".Value }}\n{{ end }}Annotations:\n"
				"{{ range .Annotations.SortedPairs }} - {{ .Name }} = {{ .Value }}\n{{ end "
				"}}Source: {{ .GeneratorURL }}\n"
				"{{ end }}"),
    DEFINE("__text_alert_list_markdown", "{{ range . }}\nLabels:\n{{ range .Labels.SortedPairs }}  - {{ "
					 ".Name }} = {{ .Value }}\n{{ end }}\nAnnotations:\n"
					 "{{ range .Annotations.SortedPairs }}  - {{ .Name }} = {{ .Value "
					 "}}\n{{ end }}\nSource: {{ .GeneratorURL }}\n"
					 "{{ end }}"),
    DEFINE("slack.default.title", SUBJECT),
    DEFINE("slack.default.username", PRODUCT),
    DEFINE("slack.default.fallback",
	"{{ template \"slack.default.title\" . }} | {{ template \"slack.default.titlelink\" . }}"),
    DEFINE("slack.default.callbackid", ""),
    DEFINE("slack.default.pretext", ""),
    DEFINE("slack.default.titlelink", LINK),
    DEFINE("slack.default.iconemoji", ""),
    DEFINE("slack.default.iconurl", ""),
    DEFINE("slack.default.text", ""),
    DEFINE("slack.default.footer", ""),
    DEFINE("pagerduty.default.description", SUBJECT),
    DEFINE("pagerduty.default.client", PRODUCT),
    DEFINE("pagerduty.default.clientURL", LINK),
    DEFINE("pagerduty.default.instances", "{{ template \"__text_alert_list\" . }}"),
    DEFINE("opsgenie.default.message", SUBJECT),
    DEFINE("opsgenie.default.description", ANNOTATIONS "\n" LISTS),
    DEFINE("opsgenie.default.source", LINK),
    DEFINE("victorops.default.state_message", ANNOTATIONS "\n" LISTS),
    DEFINE("victorops.default.entity_display_name", SUBJECT),
    DEFINE("victorops.default.monitoring_tool", PRODUCT),
    DEFINE("pushover.default.title", SUBJECT),
    DEFINE("pushover.default.message", ANNOTATIONS "\n" LISTS),
    DEFINE("pushover.default.url", LINK),
    DEFINE("sns.default.subject", SUBJECT),
    DEFINE("sns.default.message", ANNOTATIONS "\n" LISTS),
    DEFINE("telegram.default.message", LISTS),
    DEFINE("discord.default.title", SUBJECT),
    DEFINE("discord.default.message", LISTS),
    DEFINE("discord.default.content", ""),
    DEFINE("webex.default.message", ANNOTATIONS "\n" LISTS),
    DEFINE("msteams.default.title", SUBJECT),
    DEFINE("msteams.default.summary", SUBJECT),
    DEFINE("msteams.default.text", MARKDOWN_LISTS),
    DEFINE("msteamsv2.default.title", SUBJECT),
    DEFINE("msteamsv2.default.text", MARKDOWN_LISTS),
    DEFINE("jira.default.summary", SUBJECT),
    DEFINE("jira.default.description", MARKDOWN_LISTS),
    DEFINE("jira.default.priority",
	"{{ $alerts := .Alerts.Firing }}{{ if eq (len $alerts) 0 }}{{ $alerts = .Alerts.Resolved }}{{ end }}"
	"{{ $priority := \"\" }}{{ range $alerts }}{{ $s := .Labels.severity }}"
	"{{ if eq $s \"critical\" }}{{ $priority = \"High\" }}"
	"{{ else if and (eq $s \"warning\") (ne $priority \"High\") }}{{ $priority = \"Medium\" }}"
	"{{ else if and (eq $s \"info\") (eq $priority \"\") }}{{ $priority = \"Low\" }}{{ end }}{{ end }}{{ "
	"$priority }}"),
    DEFINE("mattermost.default.title", SUBJECT),
    DEFINE("mattermost.default.username", PRODUCT),
    DEFINE("mattermost.default.titlelink", LINK),
    DEFINE("mattermost.default.fallback", "{{ template \"mattermost.default.title\" . }} | " LINK),
    DEFINE("mattermost.default.color", "{{ if eq .Status \"firing\" }}danger{{ else }}good{{ end }}"),
    DEFINE("mattermost.default.text", MARKDOWN_LISTS),
    DEFINE("wechat.default.message", SUBJECT "\n" ANNOTATIONS "\n" LISTS LINK "\n"),
    DEFINE("wechat.default.to_user", ""),
    DEFINE("wechat.default.to_party", ""),
    DEFINE("wechat.default.to_tag", ""),
    DEFINE("wechat.default.agent_id", ""),
    DEFINE("rocketchat.default.title", SUBJECT),
    DEFINE("rocketchat.default.alias", PRODUCT),
    DEFINE("rocketchat.default.titlelink", LINK),
    DEFINE("rocketchat.default.emoji", ""),
    DEFINE("rocketchat.default.iconurl", ""),
    DEFINE("rocketchat.default.text", ""),
    DEFINE("email.default.subject", SUBJECT),
    DEFINE("email.default.html",
	"<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"/><title>" SUBJECT "</title></head>"
	"<body style=\"margin:0;background:#f6f6f6\">\n<table width=\"600\" align=\"center\" "
	"style=\"background:#fff;border:1px solid #e9e9e9\">\n"
	"<tr><td style=\"color:#fff;padding:20px;font-family:Helvetica,Arial,sans-serif;background:"
	"{{ if eq .Status \"firing\" }}#e6522c{{ else }}#68b90f{{ end }}\">{{ .Alerts | len }} alert"
	"{{ if gt (len .Alerts) 1 }}s{{ end }} for {{ range .GroupLabels.SortedPairs }}{{ .Name }}={{ .Value "
	"}} "
	"{{ end }}</td></tr>\n<tr><td style=\"padding:20px\"><a href=\"" LINK "\">View in " PRODUCT
	"</a></td></tr>\n"
	"{{ if gt (len .Alerts.Firing) 0 }}<tr><td><strong>[{{ .Alerts.Firing | len }}] "
	"Firing</strong></td></tr>\n"
	"{{ end }}{{ range .Alerts.Firing }}" MAIL_ALERT "{{ end }}"
	"{{ if gt (len .Alerts.Resolved) 0 }}<tr><td><hr/><strong>[{{ .Alerts.Resolved | len }}] "
	"Resolved</strong>"
	"</td></tr>\n{{ end }}{{ range .Alerts.Resolved }}" MAIL_ALERT "{{ end }}"
	"<tr><td style=\"padding:20px\"><a href=\"{{ .ExternalURL }}\">Sent by " PRODUCT "</a></td></tr>\n"
	"</table></body></html>\n"),
};

int notify_defaults_parse(struct template_set *set, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
		int rc = template_parse(set, slice_cstr(defaults[i].name), defaults[i].text, err);
		if (rc)
			return rc;
	}
	return 0;
}
