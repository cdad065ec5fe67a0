package io.troth.coordinator.cli;

import io.troth.coordinator.admin.CoordinatorStatus;
import io.troth.coordinator.admin.Listing;
import io.troth.coordinator.grpc.AdminClient;
import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.ResourceName;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.InDoubtView;
import io.troth.core.coordinator.TransactionView;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code troth admin}: looks into a running coordinator, and settles what it cannot settle itself. */
@Command(
        name = "admin",
        description = "Looks into a running coordinator and settles in-doubt branches.",
        subcommands = {
            AdminCommand.Status.class,
            AdminCommand.Transactions.class,
            AdminCommand.Show.class,
            AdminCommand.Agents.class,
            AdminCommand.InDoubt.class,
            AdminCommand.Resolve.class,
            AdminCommand.Close.class,
            AdminCommand.Hold.class,
            AdminCommand.Release.class,
            AdminCommand.Exclude.class,
            AdminCommand.Include.class
        })
final class AdminCommand extends Group {

    /** A command that speaks to the leader. */
    abstract static class Remote extends RemoteCommand<AdminClient> {

        @Override
        final AdminClient open(RemoteOptions options) {
            return new AdminClient(options.endpoint(), options.tls(), options.timeoutMillis());
        }

        final GlobalTxId tx(String text) {
            try {
                return GlobalTxId.parse(text);
            } catch (IllegalArgumentException e) {
                throw wrong(e);
            }
        }

        final BranchId branch(String text) {
            try {
                return BranchId.parse(text);
            } catch (IllegalArgumentException e) {
                throw wrong(e);
            }
        }

        final String resource(String text) {
            try {
                return ResourceName.check(text);
            } catch (IllegalArgumentException e) {
                throw wrong(e);
            }
        }
    }

    /** A command that prints a list. */
    abstract static class Listed extends Remote {

        @Option(
                names = "--limit",
                paramLabel = "N",
                defaultValue = "100",
                description = "How many to list, at most 1000; default ${DEFAULT-VALUE}.")
        private int limit;

        final int limit() {
            return limit;
        }
    }

    /** A command that changes something. */
    abstract static class Change extends Remote {

        @Option(
                names = "--reason",
                required = true,
                paramLabel = "TEXT",
                description = "Why, for those who come after; it is kept with what is done.")
        private String reason;

        @SuppressWarnings("NullAway.Init") // picocli fills them in.
        Change() {}

        final String reason() {
            return reason;
        }
    }

    /** A command that changes how a resource is treated. */
    abstract static class ResourceChange extends Change {

        @Parameters(paramLabel = "RESOURCE", description = "The name of the resource.")
        private String resource;

        @SuppressWarnings("NullAway.Init") // picocli fills them in.
        ResourceChange() {}

        final String resource() {
            return resource(resource);
        }
    }

    @Command(name = "status", description = "Epoch, readiness and counts.")
    static final class Status extends Remote {
        @Override
        void run(AdminClient client, AdminPrinter printer) {
            CoordinatorStatus status = client.status();
            printer.status(status);
        }
    }

    @Command(name = "transactions", description = "Lists what is open, and what is committed and not ended.")
    static final class Transactions extends Listed {
        @Override
        void run(AdminClient client, AdminPrinter printer) {
            Listing<TransactionView> list = client.transactions(limit());
            printer.transactions(list);
        }
    }

    @Command(name = "show", description = "Shows one transaction with its branches.")
    static final class Show extends Remote {

        @Parameters(paramLabel = "TX", description = "shard.epoch.nonce.session.sequence")
        private String tx;

        @SuppressWarnings("NullAway.Init") // picocli fills them in.
        Show() {}

        @Override
        void run(AdminClient client, AdminPrinter printer) {
            printer.transaction(client.transaction(tx(tx)));
        }
    }

    @Command(name = "agents", description = "Lists the connected agents and their resources.")
    static final class Agents extends Listed {
        @Override
        void run(AdminClient client, AdminPrinter printer) {
            Listing<AgentHello> list = client.agents(limit());
            printer.agents(list);
        }
    }

    @Command(name = "in-doubt", description = "Lists prepared branches that are not finished.")
    static final class InDoubt extends Listed {
        @Override
        void run(AdminClient client, AdminPrinter printer) {
            Listing<InDoubtView> list = client.inDoubt(limit());
            printer.inDoubt(list);
        }
    }

    @Command(
            name = "resolve",
            description = "Decides one prepared branch by force. HEURISTIC is logged before it is carried out.")
    static final class Resolve extends Change {

        @Parameters(index = "0", paramLabel = "TX", description = "shard.epoch.nonce.session.sequence")
        private String tx;

        @Parameters(index = "1", paramLabel = "BRANCH", description = "32 hexadecimal digits, as in-doubt lists them.")
        private String branch;

        @Parameters(index = "2", paramLabel = "DECISION", description = "COMMIT or ROLLBACK.")
        private Decision decision;

        @SuppressWarnings("NullAway.Init") // picocli fills them in.
        Resolve() {}

        @Override
        void run(AdminClient client, AdminPrinter printer) {
            Outcome outcome = client.resolve(tx(tx), branch(branch), decision, reason());
            printer.forced(tx, branch, decision, outcome);
        }
    }

    @Command(
            name = "close",
            description = "Closes a committed transaction that can never end, because a resource is gone for ever.")
    static final class Close extends Change {

        @Parameters(paramLabel = "TX", description = "shard.epoch.nonce.session.sequence")
        private String tx;

        @SuppressWarnings("NullAway.Init") // picocli fills them in.
        Close() {}

        @Override
        void run(AdminClient client, AdminPrinter printer) {
            Outcome outcome = client.close(tx(tx), reason());
            printer.forced(tx, null, Decision.COMMIT, outcome);
        }
    }

    @Command(name = "hold", description = "Holds a resource: its in-doubt branches are listed and not resolved.")
    static final class Hold extends ResourceChange {
        @Override
        void run(AdminClient client, AdminPrinter printer) {
            boolean known = client.hold(resource(), true, reason());
            printer.done(resource(), "held", known);
        }
    }

    @Command(name = "release", description = "Releases a resource from hold.")
    static final class Release extends ResourceChange {
        @Override
        void run(AdminClient client, AdminPrinter printer) {
            boolean known = client.hold(resource(), false, reason());
            printer.done(resource(), "released", known);
        }
    }

    @Command(name = "exclude", description = "A resource is gone for ever: the purge no longer waits for its scan.")
    static final class Exclude extends ResourceChange {
        @Override
        void run(AdminClient client, AdminPrinter printer) {
            boolean known = client.exclude(resource(), true, reason());
            printer.done(resource(), "excluded", known);
        }
    }

    @Command(name = "include", description = "Includes an excluded resource again.")
    static final class Include extends ResourceChange {
        @Override
        void run(AdminClient client, AdminPrinter printer) {
            boolean known = client.exclude(resource(), false, reason());
            printer.done(resource(), "included", known);
        }
    }
}
