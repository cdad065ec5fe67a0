package io.troth.chaos.cluster;

import io.troth.chaos.bank.Answer;
import io.troth.chaos.bank.Transfer;
import io.troth.chaos.bank.TransferRunner;
import io.troth.chaos.process.Failpoints;
import io.troth.client.GlobalTransaction;
import io.troth.client.OutcomeToken;
import io.troth.client.OutcomeUnknownException;
import io.troth.client.TransactionOptions;
import io.troth.client.TrothClient;
import io.troth.core.TrothException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** Transfers as an application writes them: two statements at two resources under one transaction. Thread-safe. */
final class TwoBankTransfers implements TransferRunner.Bankers {

    /** The point of the client: the work is done, and nobody has asked for commit. */
    static final String BEFORE_COMMIT = "BEFORE_COMMIT";

    private static final TransactionOptions OPTIONS = TransactionOptions.named("transfer");

    private final TrothClient client;
    private final String firstBank;
    private final String secondBank;
    private final Failpoints failpoints;
    private final Map<Long, OutcomeToken> unknown = new ConcurrentHashMap<>();

    TwoBankTransfers(TrothClient client, String firstBank, String secondBank, Failpoints failpoints) {
        this.client = client;
        this.firstBank = firstBank;
        this.secondBank = secondBank;
        this.failpoints = failpoints;
    }

    @Override
    public Answer transfer(Transfer transfer, Consumer<String> beforeCommit) {
        String id = "-";
        try (GlobalTransaction tx = client.begin(OPTIONS)) {
            id = tx.id().toString();
            move(tx, firstBank, transfer.number(), transfer.fromAccount(), -transfer.amount());
            move(tx, secondBank, transfer.number(), transfer.toAccount(), transfer.amount());
            beforeCommit.accept(id);
            failpoints.reached(BEFORE_COMMIT, id);
            tx.commit();
            return new Answer(transfer.number(), Answer.Kind.COMMITTED, id, "");
        } catch (OutcomeUnknownException e) {
            unknown.put(transfer.number(), e.token());
            return new Answer(transfer.number(), Answer.Kind.UNKNOWN, id, String.valueOf(e.getMessage()));
        } catch (TrothException e) {
            // By the commit; or the work failed, for instance because the account is empty, and closing rolled back.
            return new Answer(
                    transfer.number(), Answer.Kind.ROLLED_BACK, id, e.reason().toString());
        }
    }

    /** Asks again about everything whose outcome was unknown. */
    List<Answer> askAgain() {
        List<Answer> answers = new ArrayList<>();
        unknown.forEach((number, token) -> {
            Answer.Kind kind = switch (client.outcome(token)) {
                case COMMITTED -> Answer.Kind.COMMITTED;
                case ROLLED_BACK -> Answer.Kind.ROLLED_BACK;
                case READ_ONLY, PENDING, UNKNOWN, FORGOTTEN, NOT_LEADER -> Answer.Kind.UNKNOWN;
            };
            answers.add(new Answer(number, kind, token.tx().toString(), "asked again"));
        });
        return answers;
    }

    private static void move(GlobalTransaction tx, String bank, long number, int account, long amount) {
        tx.sql(bank).update(Transfer.INSERT_ROW, number, account, amount);
        tx.sql(bank).update(Transfer.MOVE_MONEY, amount, account);
    }
}
