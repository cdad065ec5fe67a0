/** The decision log on RocksDB. The only importer of org.rocksdb; log thread only unless a type says otherwise. */
@NullMarked
package io.troth.coordinator.log.rocksdb;

import org.jspecify.annotations.NullMarked;
