/* Bounds of what senders may hand in; checked before memory is taken. */
#pragma once

enum {
	INGEST_MAX_BODY_BYTES = 32 << 20,    /* compressed: the route's bound (413) */
	INGEST_MAX_DECODED_BYTES = 32 << 20, /* after snappy (400) */
	INGEST_MAX_LABELS = 1024,            /* of one series; what a sealed part can hold */
	INGEST_MAX_BUCKETS = 65536,          /* of one native histogram */
};
