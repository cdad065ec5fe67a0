package io.troth.coordinator.cli;

import io.troth.coordinator.admin.ClusterStatus;
import io.troth.coordinator.admin.ClusterView;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.grpc.ClusterClient;
import io.troth.coordinator.log.LogObserver;
import io.troth.coordinator.log.raft.Conversion;
import io.troth.coordinator.log.raft.RaftMember;
import io.troth.coordinator.log.raft.RaftSettings;
import io.troth.coordinator.server.ProcessEnvironment;
import io.troth.core.TrothException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code troth cluster}: several coordinators that share one replicated log. */
@Command(
        name = "cluster",
        description = "Makes the members of a cluster, shows and changes them.",
        subcommands = {
            ClusterCommand.Init.class,
            ClusterCommand.Found.class,
            ClusterCommand.Dissolve.class,
            ClusterCommand.Status.class,
            ClusterCommand.TransferLeader.class,
            ClusterCommand.Add.class,
            ClusterCommand.Remove.class
        })
final class ClusterCommand extends Group {

    /** A draining leader, and a new member that has to get the whole log first, take their time. */
    private static final long CHANGE_MILLIS = 90_000;

    /** A member that does not answer must not hold up what the others say. */
    private static final long ASK_MILLIS_MAX = 3_000;

    private static final long SILENT_MILLIS_MAX = 5_000;

    /** A command for the data directory of a member that does not run. */
    abstract static class Offline extends Configured {
        @Override
        final int run(CoordinatorConfig config, PrintWriter out, PrintWriter err) {
            RaftSettings settings = config.member();
            if (settings == null) {
                err.println("troth: cluster.node and cluster.nodes are not set: this is a single coordinator, which"
                        + " makes its log when it starts.");
                return ExitCode.FAILED;
            }
            try {
                run(settings, out);
                return ExitCode.OK;
            } catch (IOException e) {
                err.println("troth: the data directory of the member cannot be written: " + e.getMessage());
                return ExitCode.FAILED;
            }
        }

        abstract void run(RaftSettings settings, PrintWriter out) throws IOException;
    }

    @Command(
            name = "init",
            description =
                    "Makes the data directory of one member of a new cluster. Once for each member, and never again"
                            + " for one that has lost its disk: that one could vote twice.")
    static final class Init extends Offline {
        @Override
        void run(RaftSettings settings, PrintWriter out) throws IOException {
            RaftMember.create(settings, ProcessEnvironment.log(LogObserver.NONE));
            out.println("Made member " + settings.node() + " of cluster "
                    + settings.log().cluster() + " in " + settings.log().directory()
                    + ". Start it together with the others that are new; one that joins a cluster is added then.");
        }
    }

    @Command(
            name = "found",
            description = "Founds a cluster on the log of a single coordinator that does not run: its data directory"
                    + " becomes that of the first member, and no single coordinator starts on it any more.")
    static final class Found extends Offline {
        @Override
        void run(RaftSettings settings, PrintWriter out) throws IOException {
            Conversion.found(settings, ProcessEnvironment.log(LogObserver.NONE));
            out.println("Founded cluster " + settings.log().cluster() + " with member " + settings.node()
                    + " on the log in " + settings.log().directory() + ". Start it, then make and add the others.");
        }
    }

    @Command(
            name = "dissolve",
            description =
                    "Makes the log of the only member of a cluster, which does not run, that of a single coordinator."
                            + " Remove the others first.")
    static final class Dissolve extends Offline {
        @Override
        void run(RaftSettings settings, PrintWriter out) throws IOException {
            Conversion.dissolve(settings, ProcessEnvironment.log(LogObserver.NONE));
            out.println("Dissolved: the log in " + settings.log().directory() + " is that of a single coordinator of"
                    + " cluster " + settings.log().cluster() + ". Start it without cluster.node and cluster.nodes.");
        }
    }

    /** A command that speaks to one member. */
    abstract static class Remote extends RemoteCommand<ClusterClient> {
        @Override
        ClusterClient open(RemoteOptions options) {
            return new ClusterClient(options.endpoint(), options.tls(), options.timeoutMillis());
        }
    }

    @Command(
            name = "status",
            description =
                    "Shows every member: asks the one at the endpoint for the others, and each of them for itself.")
    static final class Status extends Remote {
        @Override
        void run(ClusterClient client, AdminPrinter printer) {
            ClusterView first = client.view();
            Map<String, ClusterView> views = new TreeMap<>();
            views.put(first.node(), first);
            for (ClusterView.Member member : first.members()) {
                if (!views.containsKey(member.node()) && member.endpoint() != null) {
                    ask(member.endpoint(), views);
                }
            }
            printer.cluster(ClusterStatus.of(first, views, SILENT_MILLIS_MAX));
        }

        /** A member that does not answer is one line of the answer, and no failure. */
        private void ask(String endpoint, Map<String, ClusterView> views) {
            try (ClusterClient other = new ClusterClient(
                    endpoint, options().tls(), Math.min(options().timeoutMillis(), ASK_MILLIS_MAX))) {
                ClusterView view = other.view();
                views.put(view.node(), view);
            } catch (TrothException e) {
                // Its line says that it is not reachable.
            }
        }
    }

    /** A command that changes the members. */
    abstract static class Change extends Remote {

        @Parameters(paramLabel = "NODE", description = "The name of the member.")
        private String node;

        @Option(
                names = "--reason",
                required = true,
                paramLabel = "TEXT",
                description = "Why, for those who come after; it stands in the leader's log lines.")
        private String reason;

        @SuppressWarnings("NullAway.Init") // picocli fills them in.
        Change() {}

        @Override
        final ClusterClient open(RemoteOptions options) {
            return new ClusterClient(options.endpoint(), options.tls(), options.timeoutMillis(CHANGE_MILLIS));
        }

        final String node() {
            return node;
        }

        final String reason() {
            return reason;
        }
    }

    @Command(
            name = "transfer-leader",
            description = "Lets another member lead, after the running transactions have had time to end.")
    static final class TransferLeader extends Change {
        @Override
        void run(ClusterClient client, AdminPrinter printer) {
            client.transfer(node(), reason());
            printer.changed(node(), "the leader is");
        }
    }

    @Command(name = "add", description = "Takes a new member in, which was made with init and runs.")
    static final class Add extends Change {

        @Parameters(paramLabel = "HOST:PORT", description = "Where it listens for the other members.")
        private String address;

        @Option(
                names = "--client-endpoint",
                paramLabel = "HOST:PORT",
                description = "Where it listens for clients and agents.")
        private @Nullable String clientEndpoint;

        @SuppressWarnings("NullAway.Init") // picocli fills them in.
        Add() {}

        @Override
        void run(ClusterClient client, AdminPrinter printer) {
            client.add(node(), address, clientEndpoint, reason());
            printer.changed(node(), "added");
        }
    }

    @Command(name = "remove", description = "Removes a member for good.")
    static final class Remove extends Change {
        @Override
        void run(ClusterClient client, AdminPrinter printer) {
            client.remove(node(), reason());
            printer.changed(node(), "removed");
        }
    }
}
