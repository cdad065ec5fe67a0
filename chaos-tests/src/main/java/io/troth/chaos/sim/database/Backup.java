package io.troth.chaos.sim.database;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a server was at one moment. */
public final class Backup {

    /** What one transaction was. */
    record Saved(ServerTransaction.State state) {}

    private final TreeMap<String, List<Long>> rows;
    private final TreeMap<Long, Saved> transactions = new TreeMap<>();
    private final TransactionIds ids;

    Backup(Map<String, List<Long>> rows, List<ServerTransaction> history, TransactionIds ids) {
        this.rows = new TreeMap<>(rows);
        history.forEach(each -> transactions.put(each.serial, new Saved(each.state)));
        this.ids = ids;
    }

    Map<String, List<Long>> rows() {
        return rows;
    }

    Map<Long, Saved> transactions() {
        return transactions;
    }

    TransactionIds ids() {
        return ids;
    }
}
