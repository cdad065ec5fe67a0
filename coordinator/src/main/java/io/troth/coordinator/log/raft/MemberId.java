package io.troth.coordinator.log.raft;

import io.troth.core.ClusterId;
import org.apache.ratis.protocol.RaftPeerId;

/**
 * Who a member is to Raft: the name that people gave it, and 64 random bits of the data directory that it was made on. A
 * node that has lost its disk and is made anew under its name is thereby another member, with none of the old one's
 * promises and none of its rights (a vote could be given twice otherwise).
 *
 * @param node the name: letters, digits and hyphens
 * @param disk the random bits
 */
record MemberId(String node, long disk) {

    private static final char SEPARATOR = '.';

    /**
     * The other way round of {@link #toString}.
     *
     * @throws IllegalArgumentException when the text is no such id
     */
    static MemberId parse(String text) {
        int separator = text.lastIndexOf(SEPARATOR);
        if (separator < 1) {
            throw new IllegalArgumentException("\"" + text + "\" is not the id of a member");
        }
        return new MemberId(
                text.substring(0, separator),
                ClusterId.parse(text.substring(separator + 1)).value());
    }

    /** The name in an id of Raft's. */
    static String nodeOf(RaftPeerId id) {
        return parse(id.toString()).node();
    }

    RaftPeerId raftId() {
        return RaftPeerId.valueOf(toString());
    }

    /** {@code node.16 hexadecimal digits}. */
    @Override
    public String toString() {
        return node + SEPARATOR + new ClusterId(disk);
    }
}
