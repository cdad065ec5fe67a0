package io.troth.client;

import io.troth.core.BranchList;
import io.troth.core.BranchWork;
import io.troth.core.GlobalTxId;
import java.util.List;

/**
 * What a certain question about a transaction needs: its id and what its commit said (protocol 9.1). Keep the text of
 * {@link #toString()} where the work that must not be done twice is noted.
 *
 * @param tx the transaction
 * @param branches those that commit named
 * @param onePhaseAllowed whether a single branch was allowed to commit directly
 */
public record OutcomeToken(GlobalTxId tx, List<BranchWork> branches, boolean onePhaseAllowed) {

    private static final String VERSION = "1";
    private static final String ALLOWED = "a";
    private static final String NEVER = "n";
    private static final int FIELDS = 4;

    public OutcomeToken {
        branches = List.copyOf(branches);
    }

    /** ASCII without spaces; contains no secret. */
    @Override
    public String toString() {
        return VERSION + ";" + tx + ";" + (onePhaseAllowed ? ALLOWED : NEVER) + ";"
                + new BranchList(false, branches).encode();
    }

    /**
     * Reads what {@link #toString()} writes.
     *
     * @throws IllegalArgumentException when the text is anything else
     */
    public static OutcomeToken parse(String text) {
        List<String> fields = List.of(text.split(";", FIELDS));
        boolean known = fields.size() == FIELDS
                && fields.get(0).equals(VERSION)
                && (fields.get(2).equals(ALLOWED) || fields.get(2).equals(NEVER));
        if (!known) {
            throw new IllegalArgumentException("not an outcome token of version " + VERSION);
        }
        return new OutcomeToken(
                GlobalTxId.parse(fields.get(1)),
                BranchList.parse(fields.get(3)).branches(),
                fields.get(2).equals(ALLOWED));
    }
}
