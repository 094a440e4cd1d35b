/* The PagerDuty receiver: an event of the Events API, version 2, or version 1 for those who have a service key. */
#pragma once

#include "alertmanager/receiver.h"

void notify_pagerduty_send(const struct send_request *req);
