#include "config/config_print.h"

#include "config/printer.h"

void config_print(struct strbuf *out, const struct config *c)
{
	struct config_printer p;
	config_printer_init(&p, out);
	config_print_all(&p, c);
}

void scrape_config_print(struct strbuf *out, const struct scrape_config *s)
{
	struct config_printer p;
	config_printer_init(&p, out);
	config_print_scrape(&p, s);
}
