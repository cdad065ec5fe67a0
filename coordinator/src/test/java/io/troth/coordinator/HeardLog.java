package io.troth.coordinator;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/** What is said to one logger during a test, from a level on, and kept from everybody else. Thread-safe. */
public final class HeardLog extends AppenderBase<ILoggingEvent> implements BeforeEachCallback, AfterEachCallback {

    private final Logger logger;
    private final Level level;
    private final List<ILoggingEvent> events = new ArrayList<>();

    /** Tests that use it are isolated: whoever runs in this JVM is heard. */
    public HeardLog(String logger, Level level) {
        this.logger = (Logger) LoggerFactory.getLogger(logger);
        this.level = level;
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        start();
        logger.addAppender(this);
        logger.setLevel(level);
        logger.setAdditive(false);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        logger.setAdditive(true);
        logger.setLevel(null);
        logger.detachAppender(this);
    }

    @Override
    protected void append(ILoggingEvent event) {
        synchronized (events) {
            events.add(event);
        }
    }

    /** From now on from another level on, until the test ends. */
    public void listenFrom(Level other) {
        logger.setLevel(other);
    }

    /** What was said so far. */
    public List<ILoggingEvent> events() {
        synchronized (events) {
            return List.copyOf(events);
        }
    }

    /** The words of it. */
    public List<String> texts() {
        return events().stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    /** The words of it, which are forgotten. */
    public List<String> takeTexts() {
        synchronized (events) {
            List<String> texts = texts();
            events.clear();
            return texts;
        }
    }
}
