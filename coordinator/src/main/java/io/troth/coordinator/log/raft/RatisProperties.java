package io.troth.coordinator.log.raft;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.util.SizeInBytes;
import org.apache.ratis.util.TimeDuration;

/** The settings of a member in Ratis' words, and those of Ratis that correctness stands on. Pure. */
final class RatisProperties {

    /** An entry has about a megabyte; what is larger is no entry. */
    static final SizeInBytes ENTRY_BYTES_MAX = SizeInBytes.valueOf("2MB");

    private static final String ANY_TIME = "1ms,10, 10ms,100, 100ms,1000000";

    private RatisProperties() {}

    static RaftProperties of(RaftSettings settings) {
        RaftProperties properties = new RaftProperties();
        files(properties, settings);
        times(properties, settings);
        sizes(properties);
        RaftServerConfigKeys.Snapshot.setAutoTriggerEnabled(properties, true);
        RaftServerConfigKeys.Snapshot.setAutoTriggerThreshold(properties, settings.snapshotEntries());
        RaftServerConfigKeys.Snapshot.setTriggerWhenStopEnabled(properties, false);
        String address = Objects.requireNonNull(settings.nodes().get(settings.node()));
        int colon = address.lastIndexOf(':');
        GrpcConfigKeys.Server.setHost(properties, address.substring(0, colon));
        GrpcConfigKeys.Server.setPort(properties, Integer.parseInt(address.substring(colon + 1)));
        return properties;
    }

    /** What Ratis leaves to /tmp otherwise; and when a write counts as done: when it is on disk, and not before. */
    private static void files(RaftProperties properties, RaftSettings settings) {
        var directory = settings.log().directory();
        RaftServerConfigKeys.setStorageDir(
                properties, List.of(directory.resolve(RaftFiles.DIRECTORY).toFile()));
        RaftServerConfigKeys.setRemovedGroupsDir(
                properties, directory.resolve("raft-removed").toFile());
        RaftServerConfigKeys.Log.setUnsafeFlushEnabled(properties, false);
        RaftServerConfigKeys.Log.setAsyncFlushEnabled(properties, false);
        RaftServerConfigKeys.Log.setForceSyncNum(properties, 4_096);
        // How far the log is committed a member hears from its leader: no entry more for each one.
        RaftServerConfigKeys.Log.setLogMetadataEnabled(properties, false);
        // A damaged log is no log: the other policy drops what is behind the damage without a word.
        RaftServerConfigKeys.Log.setCorruptionPolicy(properties, RaftServerConfigKeys.Log.CorruptionPolicy.EXCEPTION);
        // The log is kept for members that are behind, not only up to the own checkpoint.
        RaftServerConfigKeys.Log.setPurgeUptoSnapshotIndex(properties, false);
    }

    private static void times(RaftProperties properties, RaftSettings settings) {
        int timeout = settings.electionTimeoutMillis();
        RaftServerConfigKeys.Rpc.setTimeoutMin(properties, millis(timeout));
        RaftServerConfigKeys.Rpc.setTimeoutMax(properties, millis(2 * timeout));
        RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMin(properties, millis(Math.min(timeout, 100)));
        RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMax(properties, millis(Math.min(2 * timeout, 300)));
        RaftServerConfigKeys.Rpc.setRequestTimeout(properties, millis(2 * timeout));
        RaftServerConfigKeys.LeaderElection.setPreVote(properties, true);
        RaftServerConfigKeys.LeaderElection.setLeaderStepDownWaitTime(properties, millis(timeout));
        RaftServerConfigKeys.RetryCache.setExpiryTime(properties, millis(10_000));
        // After a restart a member is to be tried at once, not after Ratis' five seconds.
        RaftServerConfigKeys.Log.Appender.setRetryPolicy(properties, ANY_TIME);
    }

    /** For heaps of a few hundred megabytes; entries have about a megabyte at most. */
    private static void sizes(RaftProperties properties) {
        RaftServerConfigKeys.Log.setSegmentSizeMax(properties, SizeInBytes.valueOf("16MB"));
        RaftServerConfigKeys.Log.setPreallocatedSize(properties, SizeInBytes.valueOf("1MB"));
        RaftServerConfigKeys.Log.setSegmentCacheSizeMax(properties, SizeInBytes.valueOf("32MB"));
        RaftServerConfigKeys.Log.setWriteBufferSize(properties, SizeInBytes.valueOf("4MB"));
        RaftServerConfigKeys.Log.Appender.setBufferByteLimit(properties, ENTRY_BYTES_MAX);
        RaftServerConfigKeys.Log.Appender.setSnapshotChunkSizeMax(properties, SizeInBytes.valueOf("4MB"));
        RaftServerConfigKeys.Log.setPurgeGap(properties, 1);
    }

    private static TimeDuration millis(int millis) {
        return TimeDuration.valueOf(millis, TimeUnit.MILLISECONDS);
    }
}
