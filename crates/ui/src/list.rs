//! A long list of which only what is in sight is built: what is above and below has neither widgets nor
//! text laid out. It is scrolled without a message; what its owner wishes it does when it is laid out next.

mod pick;
mod place;

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use iced::advanced::widget::{Operation, Tree, tree};
use iced::advanced::{Clipboard, Layout, Renderer as _, Shell, Widget, layout, mouse, renderer};
use iced::{
    Background, Border, Element, Event, Length, Point, Rectangle, Renderer, Size, Theme, Vector,
    touch, window,
};

pub use place::{Place, Placed, Source, Where};

use crate::select;
use crate::theme::{Tokens, space};

/// Pixels of one line of a mouse wheel.
const LINE: f32 = 60.0;

/// Width of the scrollbar, and where it can be taken hold of.
const BAR: f32 = 4.0;
const GRIP: f32 = 12.0;

/// The shortest thumb.
const THUMB: f32 = 28.0;

/// No place is higher or wider.
const ENDLESS: f32 = 16_384.0;

/// Where a list is, shared by its owner and by the widget that shows it.
#[derive(Debug, Clone, Default)]
pub struct Shared(Rc<RefCell<Place>>);

impl Shared {
    /// Looks at it.
    pub fn read<T>(&self, read: impl FnOnce(&Place) -> T) -> T {
        read(&self.0.borrow())
    }

    /// Changes it; what follows from it is seen when the list is laid out next.
    pub fn change<T>(&self, change: impl FnOnce(&mut Place) -> T) -> T {
        change(&mut self.0.borrow_mut())
    }
}

/// A long list.
#[expect(missing_debug_implementations, reason = "elements have none")]
pub struct List<'a, Message> {
    tokens: &'static Tokens,
    place: Shared,
    sections: Range<u64>,
    parts: Box<dyn Fn(u64) -> usize + 'a>,
    build: Box<dyn Fn(u64, usize) -> Element<'a, Message> + 'a>,
    estimate: Box<dyn Fn(u64, f32) -> f32 + 'a>,
    column: f32,
    gutter: f32,
    room: (f32, f32),
    on_start: Option<Message>,
    on_press: Option<Box<dyn Fn(u64) -> Message + 'a>>,
    selection: Option<(select::Shared, Message)>,
    rows: Vec<Element<'a, Message>>,
}

/// A list of sections with these numbers; `parts` says how many pieces a section has, `build` makes one,
/// `estimate` says how high a section may be in a width.
pub fn list<'a, Message>(
    tokens: &'static Tokens,
    place: &Shared,
    sections: Range<u64>,
    parts: impl Fn(u64) -> usize + 'a,
    build: impl Fn(u64, usize) -> Element<'a, Message> + 'a,
    estimate: impl Fn(u64, f32) -> f32 + 'a,
) -> List<'a, Message> {
    List {
        tokens,
        place: place.clone(),
        sections,
        parts: Box::new(parts),
        build: Box::new(build),
        estimate: Box::new(estimate),
        column: f32::INFINITY,
        gutter: 0.0,
        room: (space::L, space::L),
        on_start: None,
        on_press: None,
        selection: None,
        rows: Vec::new(),
    }
}

impl<'a, Message> List<'a, Message> {
    /// The widest that what it holds gets; it stands in the middle.
    #[must_use]
    pub fn column(self, column: f32) -> Self {
        Self { column, ..self }
    }

    /// How much of the margin at the left belongs to what it holds: for marks beside it.
    #[must_use]
    pub fn gutter(self, gutter: f32) -> Self {
        Self { gutter, ..self }
    }

    /// Room above the first and below the last piece.
    #[must_use]
    pub fn room(self, above: f32, below: f32) -> Self {
        Self { room: (above, below), ..self }
    }

    /// What is to be said when its beginning comes into sight.
    #[must_use]
    pub fn on_start(self, message: Option<Message>) -> Self {
        Self { on_start: message, ..self }
    }

    /// What is to be said when a section is pressed and nothing in it makes something of it.
    #[must_use]
    pub fn on_press(self, message: impl Fn(u64) -> Message + 'a) -> Self {
        Self { on_press: Some(Box::new(message)), ..self }
    }

    /// Lets text be selected with the mouse, and what is to be said when that is done.
    #[must_use]
    pub fn selection(self, selection: &select::Shared, message: Message) -> Self {
        Self { selection: Some((selection.clone(), message)), ..self }
    }
}

/// What the widget keeps.
#[derive(Debug, Default)]
struct State {
    /// What each child is.
    keys: Vec<(u64, usize)>,
    width: f32,
    /// How far below its upper edge the thumb is held.
    held: Option<f32>,
    hovered: bool,
    touched: Option<Point>,
    picking: pick::State,
    /// The first section when it was said last that the beginning is in sight.
    told: Option<u64>,
}

/// Builds and lays out pieces as they are asked for.
struct Builder<'b, 'a, Message> {
    list: &'b List<'a, Message>,
    renderer: &'b Renderer,
    width: f32,
    /// Trees from the time before.
    old: HashMap<(u64, usize), Tree>,
    built: HashMap<(u64, usize), (Element<'a, Message>, Tree, layout::Node)>,
}

impl<Message> Source for Builder<'_, '_, Message> {
    fn parts(&mut self, section: u64) -> usize {
        (self.list.parts)(section)
    }

    fn measure(&mut self, section: u64, part: usize) -> f32 {
        let key = (section, part);
        if let Some((.., node)) = self.built.get(&key) {
            return node.size().height;
        }
        let mut element = (self.list.build)(section, part);
        let mut tree = match self.old.remove(&key) {
            Some(mut tree) => {
                tree.diff(&element);
                tree
            }
            None => Tree::new(&element),
        };
        let limits = layout::Limits::new(Size::ZERO, Size::new(self.width, f32::INFINITY));
        let limits = limits.width(Length::Fixed(self.width));
        let node = element.as_widget_mut().layout(&mut tree, self.renderer, &limits);
        let height = node.size().height;
        let _ = self.built.insert(key, (element, tree, node));
        height
    }

    fn estimate(&mut self, section: u64) -> f32 {
        (self.list.estimate)(section, self.width)
    }
}

impl<Message> List<'_, Message> {
    /// Where the thumb is, while there is more than is in sight.
    fn thumb(&self, bounds: Rectangle) -> Option<Rectangle> {
        let (whole, above) = self.place.read(Place::extent);
        let (start, following) =
            self.place.read(|place| (place.is_at_start(), place.is_following()));
        if whole <= bounds.height + 1.0 || (start && following) {
            return None;
        }
        let length = (bounds.height * bounds.height / whole).clamp(THUMB, bounds.height);
        let share = match (start, following) {
            (true, _) => 0.0,
            (_, true) => 1.0,
            _ => (above / (whole - bounds.height)).clamp(0.0, 1.0),
        };
        Some(Rectangle {
            x: bounds.x + bounds.width - BAR - 2.0,
            y: bounds.y + share * (bounds.height - length),
            width: BAR,
            height: length,
        })
    }

    /// Takes the scrollbar by the mouse; whether it was taken.
    fn grip(
        &self,
        state: &mut State,
        event: &Event,
        bounds: Rectangle,
        cursor: mouse::Cursor,
    ) -> bool {
        let Some(thumb) = self.thumb(bounds) else {
            state.held = None;
            return false;
        };
        match event {
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) => {
                let Some(at) = cursor.position_over(bounds) else { return false };
                if at.x < bounds.x + bounds.width - GRIP {
                    return false;
                }
                let inside = at.y >= thumb.y && at.y <= thumb.y + thumb.height;
                state.held = Some(if inside { at.y - thumb.y } else { thumb.height / 2.0 });
                if !inside {
                    self.drag(at.y, state, bounds, thumb);
                }
                true
            }
            Event::Mouse(mouse::Event::CursorMoved { position }) if state.held.is_some() => {
                self.drag(position.y, state, bounds, thumb);
                true
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)) => {
                state.held.take().is_some()
            }
            _ => false,
        }
    }

    fn drag(&self, y: f32, state: &State, bounds: Rectangle, thumb: Rectangle) {
        let way = (bounds.height - thumb.height).max(1.0);
        let share = (y - state.held.unwrap_or_default() - bounds.y) / way;
        self.place.change(|place| if share >= 1.0 { place.to_end() } else { place.jump(share) });
    }

    /// Scrolls by wheel or finger; whether it was scrolled.
    fn roll(
        &self,
        state: &mut State,
        event: &Event,
        bounds: Rectangle,
        cursor: mouse::Cursor,
    ) -> bool {
        let pixels = match event {
            Event::Mouse(mouse::Event::WheelScrolled { delta }) if cursor.is_over(bounds) => {
                match delta {
                    mouse::ScrollDelta::Lines { y, .. } => -y * LINE,
                    mouse::ScrollDelta::Pixels { y, .. } => -y,
                }
            }
            Event::Touch(touch::Event::FingerPressed { position, .. })
                if bounds.contains(*position) =>
            {
                state.touched = Some(*position);
                return false;
            }
            Event::Touch(touch::Event::FingerMoved { position, .. }) => {
                let Some(before) = state.touched.replace(*position) else { return false };
                before.y - position.y
            }
            Event::Touch(touch::Event::FingerLifted { .. } | touch::Event::FingerLost { .. }) => {
                state.touched = None;
                return false;
            }
            _ => return false,
        };
        if pixels != 0.0 {
            self.place.change(|place| place.scroll(pixels));
        }
        pixels != 0.0
    }
}

impl<Message: Clone> Widget<Message, Theme, Renderer> for List<'_, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn diff(&self, _: &mut Tree) {
        // What is in sight is known when it is laid out.
    }

    fn size(&self) -> Size<Length> {
        Size::new(Length::Fill, Length::Fill)
    }

    fn layout(
        &mut self,
        tree: &mut Tree,
        renderer: &Renderer,
        limits: &layout::Limits,
    ) -> layout::Node {
        // In a place without an end everything would be in sight.
        let size = limits.max();
        let size = Size::new(size.width.min(ENDLESS), size.height.min(ENDLESS));
        let margin = if size.width > 560.0 { space::L } else { space::S };
        let column = (size.width - 2.0 * margin).clamp(1.0, self.column);
        let gutter = self.gutter.min(margin);
        let x = ((size.width - column) / 2.0).floor() - gutter;
        let width = column + gutter;
        let state = tree.state.downcast_mut::<State>();
        let place = self.place.clone();
        if (state.width - width).abs() > 0.5 {
            state.width = width;
            place.change(Place::forget);
        }
        let keys = std::mem::take(&mut state.keys);
        let old = keys.into_iter().zip(std::mem::take(&mut tree.children)).collect();
        let mut builder = Builder { list: self, renderer, width, old, built: HashMap::new() };
        let placed = place.change(|place| {
            place.settle(self.sections.clone(), size.height, self.room, &mut builder)
        });
        let mut built = builder.built;
        let (mut rows, mut nodes) = (Vec::new(), Vec::new());
        for Placed { section, part, y, .. } in placed {
            if let Some((element, child, node)) = built.remove(&(section, part)) {
                state.keys.push((section, part));
                tree.children.push(child);
                rows.push(element);
                nodes.push(node.move_to(Point::new(x, y.round())));
            }
        }
        self.rows = rows;
        layout::Node::with_children(size, nodes)
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        viewport: &Rectangle,
    ) {
        let bounds = layout.bounds();
        let state = tree.state.downcast_mut::<State>();
        if let Event::Window(window::Event::RedrawRequested(_)) = event {
            let start = self.place.read(Place::is_at_start);
            let first = Some(self.sections.start);
            if start && state.told != first && !self.sections.is_empty() {
                state.told = first;
                if let Some(message) = &self.on_start {
                    shell.publish(message.clone());
                }
            }
        }
        if self.grip(state, event, bounds, cursor) {
            shell.invalidate_layout();
            shell.request_redraw();
            shell.capture_event();
            return;
        }
        if matches!(event, Event::Mouse(mouse::Event::CursorMoved { .. })) {
            let over = cursor
                .position_over(bounds)
                .is_some_and(|at| at.x >= bounds.x + bounds.width - GRIP);
            if std::mem::replace(&mut state.hovered, over) != over {
                shell.request_redraw();
            }
        }
        // Rows reach beyond the edges of the list; the mouse does not reach them there.
        let inside = if cursor.is_over(bounds) { cursor } else { mouse::Cursor::Unavailable };
        let clipped = bounds.intersection(viewport).unwrap_or_default();
        let rows = self.rows.iter_mut().zip(&mut tree.children).zip(layout.children());
        for ((row, tree), layout) in rows {
            row.as_widget_mut()
                .update(tree, event, layout, inside, renderer, clipboard, shell, &clipped);
        }
        // A press is whoever's it is made of; what follows one of ours is ours, whoever took it.
        let pressed = matches!(event, Event::Mouse(mouse::Event::ButtonPressed(_)));
        if !pressed {
            self.pick(tree, event, layout, cursor, renderer, shell);
        }
        if shell.is_event_captured() {
            return;
        }
        let state = tree.state.downcast_mut::<State>();
        if self.roll(state, event, bounds, cursor) {
            shell.invalidate_layout();
            shell.request_redraw();
            shell.capture_event();
            return;
        }
        if pressed {
            self.pick(tree, event, layout, cursor, renderer, shell);
        }
        let state = tree.state.downcast_ref::<State>();
        if let (Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)), Some(on_press)) =
            (event, &self.on_press)
        {
            let Some(at) = cursor.position_over(bounds) else { return };
            let over = |layout: Layout<'_>| {
                let row = layout.bounds();
                at.y >= row.y && at.y < row.y + row.height
            };
            let row = layout.children().position(over);
            if let Some((section, _)) = row.and_then(|row| state.keys.get(row)) {
                shell.publish(on_press(*section));
            }
        }
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let bounds = layout.bounds();
        let Some(clipped) = bounds.intersection(viewport) else { return };
        let inside = if cursor.is_over(bounds) { cursor } else { mouse::Cursor::Unavailable };
        renderer.with_layer(clipped, |renderer| {
            let rows = self.rows.iter().zip(&tree.children).zip(layout.children());
            for ((row, tree), layout) in rows {
                row.as_widget().draw(tree, renderer, theme, style, layout, inside, &clipped);
            }
        });
        let Some(thumb) = self.thumb(bounds) else { return };
        let state = tree.state.downcast_ref::<State>();
        let near = state.held.is_some() || state.hovered;
        let color = if near { self.tokens.faint } else { self.tokens.strong };
        renderer.with_layer(clipped, |renderer| {
            let border = Border { radius: (BAR / 2.0).into(), ..Border::default() };
            let quad = renderer::Quad { bounds: thumb, border, ..renderer::Quad::default() };
            renderer.fill_quad(quad, Background::Color(color));
        });
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        if !cursor.is_over(layout.bounds()) {
            return mouse::Interaction::None;
        }
        let rows = self.rows.iter().zip(&tree.children).zip(layout.children());
        let interactions = rows.map(|((row, tree), layout)| {
            row.as_widget().mouse_interaction(tree, layout, cursor, viewport, renderer)
        });
        interactions.max().unwrap_or_default()
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
        operation: &mut dyn Operation,
    ) {
        operation.container(None, layout.bounds());
        operation.traverse(&mut |operation| {
            let rows = self.rows.iter_mut().zip(&mut tree.children).zip(layout.children());
            for ((row, tree), layout) in rows {
                row.as_widget_mut().operate(tree, layout, renderer, operation);
            }
        });
    }

    fn overlay<'b>(
        &'b mut self,
        _: &'b mut Tree,
        _: Layout<'b>,
        _: &Renderer,
        _: &Rectangle,
        _: Vector,
    ) -> Option<iced::advanced::overlay::Element<'b, Message, Theme, Renderer>> {
        None
    }
}

impl<'a, Message: Clone + 'a> From<List<'a, Message>> for Element<'a, Message> {
    fn from(list: List<'a, Message>) -> Self {
        Self::new(list)
    }
}
