package io.troth.coordinator.cli;

import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.log.LogObserver;
import io.troth.coordinator.log.raft.LeadershipListener;
import io.troth.coordinator.log.raft.RaftMember;
import io.troth.coordinator.log.raft.RaftSettings;
import io.troth.coordinator.server.ProcessEnvironment;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;

/** {@code troth cluster}: several coordinators that share one replicated log. */
@Command(
        name = "cluster",
        description = "Makes the members of a cluster.",
        subcommands = {ClusterCommand.Init.class})
final class ClusterCommand extends Group {

    @Command(
            name = "init",
            description =
                    "Makes the data directory of one member of a new cluster. Once for each member, and never again"
                            + " for one that has lost its disk: that one could vote twice.")
    static final class Init extends Configured {
        @Override
        int run(CoordinatorConfig config, PrintWriter out, PrintWriter err) {
            RaftSettings settings = config.member();
            if (settings == null) {
                err.println("troth: cluster.node and cluster.nodes are not set: this is a single coordinator, which"
                        + " makes its log when it starts.");
                return ExitCode.FAILED;
            }
            try {
                RaftMember.create(settings, ProcessEnvironment.log(LogObserver.NONE), LeadershipListener.NONE)
                        .close();
            } catch (IOException e) {
                err.println("troth: the member cannot be made: " + e.getMessage());
                return ExitCode.FAILED;
            }
            out.println("Made member " + settings.node() + " of cluster "
                    + settings.log().cluster() + " in " + settings.log().directory()
                    + ". Make the others, then start all of them.");
            return ExitCode.OK;
        }
    }
}
