/**
 * The transaction managers that applications embed today, as contenders: Narayana, Atomikos and Bitronix, as published, in
 * the JVM of the benchmark and driven through JTA like an application would. Depends on the contract of a contender and on
 * JTA; the managers themselves are reached through {@link io.troth.bench.peers.PeerManager}, each in a class loader of its
 * own.
 */
@NullMarked
package io.troth.bench.peers;

import org.jspecify.annotations.NullMarked;
