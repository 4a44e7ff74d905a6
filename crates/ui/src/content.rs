//! What widgets around one other widget have in common: they lay it out as their only child and hand
//! everything on to it that they have no word in.

/// Methods of a [`Widget`](iced::advanced::Widget) whose only child is its `content`: all that do not depend
/// on how it is laid out, what it looks like and which events it sees.
macro_rules! hands_on {
    () => {
        fn children(&self) -> Vec<iced::advanced::widget::Tree> {
            vec![iced::advanced::widget::Tree::new(&self.content)]
        }

        fn diff(&self, tree: &mut iced::advanced::widget::Tree) {
            tree.diff_children(&[&self.content]);
        }

        fn operate(
            &mut self,
            tree: &mut iced::advanced::widget::Tree,
            layout: iced::advanced::Layout<'_>,
            renderer: &iced::Renderer,
            operation: &mut dyn iced::advanced::widget::Operation,
        ) {
            let Some(inner) = layout.children().next() else { return };
            let content = self.content.as_widget_mut();
            content.operate(&mut tree.children[0], inner, renderer, operation);
        }

        fn mouse_interaction(
            &self,
            tree: &iced::advanced::widget::Tree,
            layout: iced::advanced::Layout<'_>,
            cursor: iced::advanced::mouse::Cursor,
            viewport: &iced::Rectangle,
            renderer: &iced::Renderer,
        ) -> iced::advanced::mouse::Interaction {
            let Some(inner) = layout.children().next() else {
                return iced::advanced::mouse::Interaction::None;
            };
            let content = self.content.as_widget();
            content.mouse_interaction(&tree.children[0], inner, cursor, viewport, renderer)
        }

        fn overlay<'b>(
            &'b mut self,
            tree: &'b mut iced::advanced::widget::Tree,
            layout: iced::advanced::Layout<'b>,
            renderer: &iced::Renderer,
            viewport: &iced::Rectangle,
            translation: iced::Vector,
        ) -> Option<iced::advanced::overlay::Element<'b, Message, iced::Theme, iced::Renderer>> {
            let inner = layout.children().next()?;
            let content = self.content.as_widget_mut();
            content.overlay(&mut tree.children[0], inner, renderer, viewport, translation)
        }
    };
}

/// The method by which every event goes on to the only child.
macro_rules! hands_events_on {
    () => {
        fn update(
            &mut self,
            tree: &mut iced::advanced::widget::Tree,
            event: &iced::Event,
            layout: iced::advanced::Layout<'_>,
            cursor: iced::advanced::mouse::Cursor,
            renderer: &iced::Renderer,
            clipboard: &mut dyn iced::advanced::Clipboard,
            shell: &mut iced::advanced::Shell<'_, Message>,
            viewport: &iced::Rectangle,
        ) {
            let Some(inner) = layout.children().next() else { return };
            let (content, tree) = (self.content.as_widget_mut(), &mut tree.children[0]);
            content.update(tree, event, inner, cursor, renderer, clipboard, shell, viewport);
        }
    };
}

pub(crate) use {hands_events_on, hands_on};
