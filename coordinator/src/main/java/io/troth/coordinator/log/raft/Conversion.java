package io.troth.coordinator.log.raft;

import io.troth.coordinator.log.Incarnation;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.Position;
import io.troth.coordinator.log.rocksdb.AppliedStore;
import io.troth.coordinator.log.rocksdb.LogRestore;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets the same log go on as another kind: that of a single node as the first member of a cluster, and back; and what is
 * left of a cluster as another one. In place, so that there are never two that decide apart: a data directory is a single
 * node's, or a member's, or nobody's, at every moment, whenever the machine stops. While nobody runs on it; one thread.
 *
 * <p>Epochs go on above all earlier ones ({@link io.troth.coordinator.log.ReplicatedState}), batch numbers too, so that
 * agents see one log.
 */
public final class Conversion {

    private static final Logger LOG = LoggerFactory.getLogger(Conversion.class);

    /** Whoever does not answer within this time is gone. */
    private static final long ASK_MILLIS = 2_000;

    private Conversion() {}

    /**
     * Founds a cluster on the log of a single node: its data directory becomes that of the only member, named in the
     * settings. Others are added to it, and get everything as a copy.
     *
     * @throws LogRefusedException when the log is not to be used; it is a single node's as before
     * @throws IOException when something cannot be written; the same
     */
    public static void found(RaftSettings settings, LogEnvironment environment) throws IOException {
        Path directory = settings.log().directory();
        if (Incarnation.read(directory) == null) {
            throw new LogRefusedException(
                    LogRefusal.UNUSABLE,
                    directory,
                    "there is no log; a new cluster begins with \"troth cluster init\"");
        }
        AppliedStore.found(settings.log(), environment, () -> makeOnlyMember(settings, environment));
    }

    private static void makeOnlyMember(RaftSettings settings, LogEnvironment environment) throws IOException {
        RaftFiles.of(settings).make(Position.FOUNDED.term());
        MemberId own = new MemberId(settings.node(), environment.random().getAsLong());
        new MemberFile(own, List.of(own)).write(settings.log().directory());
    }

    /**
     * Makes the data directory of the only member of a cluster that of a single node.
     *
     * @throws LogRefusedException when it was not the only one, or is not to be used; it is a member as before
     * @throws IOException when something cannot be written; it is a member as before, or a single node's
     */
    public static void dissolve(RaftSettings settings, LogEnvironment environment) throws IOException {
        MemberFile file = MemberFile.required(settings, environment);
        try (StoppedMember member = StoppedMember.open(settings, environment)) {
            member.applyAll(file);
            member.store().verify();
            member.store().dissolve();
            removeMember(settings);
        }
    }

    private static void removeMember(RaftSettings settings) throws IOException {
        MemberFile.delete(settings.log().directory());
        RaftFiles.of(settings).delete();
    }

    /**
     * What was restored.
     *
     * @param log what of it is known
     * @param entriesLeftOut so many entries at the end of Raft's log are not in it: nobody knows whether they were decided
     */
    public record Restored(LogRestore.Restored log, long entriesLeftOut) {}

    /**
     * Founds another cluster on what is left: the data directory of a member whose others are lost, or that comes from a
     * backup; or the log of a single node; or nothing at all. Everything that is known to be decided is kept; the absence
     * of a record is no word any more (protocol 10.5). The directory becomes that of the only member. One that was left in
     * the middle of this is nobody's; do it once more.
     *
     * @param throughEpoch as in {@link LogRestore#restore}
     * @throws LogRefusedException when it is not to be used, or one of the others runs; nothing was changed
     */
    public static Restored restore(RaftSettings settings, LogEnvironment environment, long throughEpoch)
            throws IOException {
        LogRestore.checkThrough(throughEpoch);
        checkOthersAreGone(settings);
        boolean isNothing = Incarnation.read(settings.log().directory()) == null;
        StoppedMember member = isNothing ? null : StoppedMember.openForRestore(settings, environment);
        return member == null
                ? restoreSingle(settings, environment, throughEpoch)
                : restoreMember(member, settings, environment, throughEpoch);
    }

    private static Restored restoreMember(
            StoppedMember member, RaftSettings settings, LogEnvironment environment, long throughEpoch)
            throws IOException {
        try (member) {
            long leftOut = member.applyDecided();
            member.store().verify();
            removeMember(settings);
            LogRestore.Restored restored =
                    member.store().distrust(environment.random().getAsLong(), throughEpoch);
            makeOnlyMember(settings, environment);
            return new Restored(restored, leftOut);
        }
    }

    /** As long as one of them runs, it may be with a majority that goes on. */
    private static void checkOthersAreGone(RaftSettings settings) throws IOException {
        MemberTls tls;
        try {
            tls = MemberTls.of(settings);
        } catch (IllegalArgumentException e) {
            throw new IOException("the files of TLS cannot be used: " + e.getMessage(), e);
        }
        settings.nodes().forEach((node, address) -> {
            if (!node.equals(settings.node())) {
                checkIsGone(settings, address, tls);
            }
        });
    }

    private static void checkIsGone(RaftSettings settings, String address, @Nullable MemberTls tls) {
        String who;
        try {
            Introduction introduction = Introductions.ask(address, tls, ASK_MILLIS);
            if (introduction.isNew() && introduction.members().isEmpty()) {
                return;
            }
            who = introduction.id().node() + " answers at " + address;
        } catch (IOException e) {
            if (!isSomebodyAt(address)) {
                LOG.debug("nobody is at {}: {}", address, e.getMessage());
                return;
            }
            // With other certificates than this one's a member looks so.
            who = "somebody at " + address + " does not say who it is: " + e.getMessage();
        }
        throw new LogRefusedException(LogRefusal.NOT_ALONE, settings.log().directory(), who);
    }

    private static boolean isSomebodyAt(String address) {
        int colon = address.lastIndexOf(':');
        try (Socket socket = new Socket()) {
            socket.connect(
                    new InetSocketAddress(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1))),
                    (int) ASK_MILLIS);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static Restored restoreSingle(RaftSettings settings, LogEnvironment environment, long throughEpoch)
            throws IOException {
        LogRestore.Restored restored = LogRestore.restore(settings.log(), environment, throughEpoch);
        found(settings, environment);
        return new Restored(restored, 0);
    }
}
