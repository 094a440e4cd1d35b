/* The Slack receiver: a message with one attachment, to a webhook or, with a bot's token, to chat.postMessage. */
#pragma once

#include "alertmanager/receiver.h"

void notify_slack_send(const struct send_request *req);
