/* What writer and reader of a part share: file names, chunk encodings, and the directory of chunks (docs/formats/part.md).
 *
 *   chunks  8 bytes magic, the chunks by series and time, then the shared time columns
 *   dir     8 bytes magic, summaries (tsdb/chunk_summary.h), the columns below, varint contents, then a trailer: u64 offset of the contents, u32 their length,
 *           u32 magic
 */
#pragma once

#include "tsdb/packed_column.h"

#define PART_FILE_META   "meta"
#define PART_FILE_CHUNKS "chunks"
#define PART_FILE_DIR    "dir"
#define PART_FILE_INDEX  "index"
#define PART_FILE_STONES "stones"
#define CHUNKS_MAGIC     "PQCHUNK\1"
#define DIR_MAGIC        "PQDIR\0\0\2"
enum { PART_MAGIC_BYTES = 8, DIR_TRAILER_BYTES = 16, DIR_MAX_CONTENTS_BYTES = 4096 };
#define DIR_TRAILER_MAGIC UINT32_C(0x52445150) /* "PQDR" */

enum chunk_encoding { CHUNK_ENCODING_COLUMN, CHUNK_ENCODING_HISTOGRAM, CHUNK_ENCODINGS };

/* The columns of the directory, in the order of the contents. */
enum dir_column {
	DIR_FIRST_CHUNK, /* of each series, and one more behind the last */
	DIR_OFFSET,      /* of each chunk in `chunks`, and where the last one ends */
	DIR_MIN_T,       /* of each chunk, as the next ones */
	DIR_MAX_T,
	DIR_COUNT,
	DIR_ENCODING,
	DIR_TIMES, /* of each shared time column, and where the last one ends */
	DIR_SUMMARY, /* of each series: where the summaries of its chunks are in `dir`, and where the last ones end */
	DIR_COLUMNS,
};
